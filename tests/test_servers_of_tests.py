"""What tests keep in memory is gone when they are, however they ended; and what processes of tests are given, they do not share."""

import subprocess
import sys

import pytest
from memory_folder import PREFIX, memory_folder
from servers import for_worker


def test_the_folder_is_gone_with_its_block_and_all_that_is_in_it(tmp_path):
    with memory_folder(tmp_path, enough=0) as folder:
        (folder / "deeper").mkdir()
        (folder / "deeper" / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed_by_the_next_and_nothing_else_is(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / f"{PREFIX}{ended.pid}-left").mkdir()
    (tmp_path / "of-others").mkdir()
    with memory_folder(tmp_path, enough=0) as one, memory_folder(tmp_path, enough=0) as other:
        assert {each.name for each in tmp_path.iterdir()} == {"of-others", one.name, other.name}


@pytest.mark.parametrize(("place", "enough"), [("", 2**63), ("not-there", 0)])
def test_where_there_is_no_such_place_or_no_room_in_it_there_is_no_folder(tmp_path, place, enough):
    with memory_folder(tmp_path / place, enough) as folder:
        assert folder is None
    assert list(tmp_path.iterdir()) == []


def test_two_processes_of_tests_never_share_a_database_of_a_redis_they_were_given():
    assert for_worker("redis://:word@cache:6379", "gw0") == "redis://:word@cache:6379/0"
    assert for_worker("redis://:word@cache:6379", "gw1") == "redis://:word@cache:6379/1"
    assert for_worker("redis://cache:6379/3?timeout=1", "gw1") == "redis://cache:6379/4?timeout=1"
