"""The menu: every command with the module it is in, so that each imports only what it needs."""

from importlib import import_module
from keyword import iskeyword

import click

from lrs import __version__

# command -> (module below lrs.commands, the line of help)
MENU = {
    "up": ("up", "Start everything on this machine: MongoDB, Redis, API and worker."),
    "serve": ("serve", "Run the API against a MongoDB and Redis of your own."),
    "worker": ("worker", "Run a worker against a MongoDB and Redis of your own."),
    "tenants": ("tenants", "List, add and delete tenants."),
    "credentials": ("credentials", "List, add and delete a tenant's credentials."),
    "adapters": ("adapters", "Show the installed adapters, begin a new one, try one."),
    "dead-letters": ("dead_letters", "List, edit and retry native events that could not be translated."),
    "doctor": ("doctor", "Look whether all is as it should be."),
    "export": ("transfer", "Write a tenant's statements to a file."),
    "import": ("transfer", "Take the statements of a file into a tenant."),
    "bench": ("bench", "Measure the API on this machine."),
    "settle": ("summaries", "Wait until every summary reflects what was accepted."),
    "rebuild": ("summaries", "Make a tenant's summaries anew from its statements."),
    "erase": ("removals", "Remove all of one learner, with a receipt."),
    "retention": ("removals", "Show or say for how long a tenant's statements are kept."),
    "jobs": ("jobs", "List, show, cancel and retry jobs: what takes long."),
    "leftovers": ("summaries", "List or remove summaries that other versions left."),
    "verify": ("summaries", "Compare a tenant's summaries with a recount."),
}


class Menu(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the menu."""
        return list(MENU)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None if there is none."""
        if cmd_name not in MENU:
            return None
        # "import" is no name in Python; its function is called "import_".
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command = getattr(import_module(f"lrs.commands.{MENU[cmd_name][0]}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The menu as it stands, without importing what is on it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in MENU.items()])


@click.group(cls=Menu, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lrs")
def commands() -> None:
    """A Learning Record Store that speaks a school's existing systems."""
