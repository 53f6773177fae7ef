"""The laws together."""

from adapters.contract.case_laws import CaseLaws
from adapters.contract.fold_laws import FoldLaws
from adapters.contract.translator_laws import TranslatorLaws


class AdapterContract(CaseLaws, TranslatorLaws, FoldLaws):
    """Inherit, and set what `Subject` says: at least `adapter` and `cases`."""
