"""One request to one valid answer: from the store if it was paid for before, else from Gemini."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import zip_longest
from typing import Any, Protocol, TypeVar

from reelmake.config import GeminiSettings
from reelmake.errors import Kind, ReelmakeError
from reelmake.gemini.calling import Bill, Source
from reelmake.gemini.checked import Checked, InvalidAnswer
from reelmake.gemini.failures import ServiceError
from reelmake.gemini.request import Request
from reelmake.gemini.stopping import Stopping
from reelmake.meter import Meter
from reelmake.store import Rejection, Store, StoredAnswer

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Check = Callable[[dict[str, Any]], Checked]

# What reading an answer of an unknown form comes to.
_UNREADABLE = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
)
_TIER_REFUSALS = frozenset(["overloaded", "quota_per_minute"])


class Run(Protocol):
    """Runs a function of ours where it can't hold up, or break, everybody else."""

    def __call__(
        self, function: Callable[..., Result], /, *arguments: Any
    ) -> Awaitable[Result]: ...


class Buyer(Protocol):
    """Puts an answer into the store: `calling.Caller`, or whoever only wants to know."""

    @property
    def stopping(self) -> Stopping: ...

    @property
    def meter(self) -> Meter: ...

    async def buy(
        self, key: str, request: Request, source: Source, bill: Bill, *, tier: str
    ) -> None: ...


class Asker:
    """Asks for many reports at once."""

    def __init__(
        self,
        settings: GeminiSettings,
        buyer: Buyer,
        store: Store,
        *,
        run: Run,
        tiers: Sequence[str] | None = None,
    ) -> None:
        """``tiers`` are tried in turn, by default those that answer at once."""
        self._settings = settings
        self._buyer = buyer
        self._store = store
        self._run = run
        self._tiers = _tiers(settings) if tiers is None else tiers

    async def ask(self, request: Request, source: Source, check: Check, bill: Bill) -> Checked:
        """Find or buy the answer; it is in the store before anything looks at it.

        Raises InvalidAnswer when it can't be taken, ServiceError when there is none, and
        ReelmakeError ``interrupted`` or ``budget_reached`` when no more may be bought.
        """
        try:
            return await self._ask(request, source, check, bill)
        except ServiceError as error:
            if error.code != "overloaded" or not self._settings.fallback_models:
                raise
            overloaded = error
        busy = request.model
        for model in self._settings.fallback_models:
            log.warning("%s stays overloaded: asking %s", busy, model)
            other, busy = request.asking(model), model
            try:
                checked = await self._ask(other, source, check, bill)
            except ServiceError as error:
                overloaded = error
                continue
            # A rerun asks the first model again, and has its answer: the report rests on that.
            stored = bill.answers.pop(other.key)
            self._store.put(request.key, stored.answer, request=stored.request)
            bill.add(request.key, stored)
            return checked
        raise overloaded

    def refused_before(self, request: Request) -> Rejection | None:
        """Why the last answer to this very request was not taken."""
        key = request.key
        return None if self._store.get(key) else self._store.rejection(key)

    async def _ask(self, request: Request, source: Source, check: Check, bill: Bill) -> Checked:
        key = request.key
        stored = self._found(key)
        if stored is None:
            # Of several that ask the same, also in other processes, one goes on at a time.
            async with self._buyer.stopping.waiting_for(self._store.asking_async(key)):
                stored = self._found(key) or await self._bought(key, request, source, bill)
        bill.add(key, stored)
        try:
            return await self._run(check, stored.answer)
        except InvalidAnswer as error:
            invalid = error
        except _UNREADABLE as error:
            # Stranger than anything the checks foresee: never kept as good.
            what = f"the answer can't be read ({type(error).__name__})"
            invalid = InvalidAnswer("answer_wrong_shape", what)
        self._store.reject(key, Rejection(invalid.code, invalid.message))
        raise invalid

    def _found(self, key: str) -> StoredAnswer | None:
        stored = self._store.get(key)
        if stored:
            self._buyer.meter.find(key)
            log.info("answer %s is in the store", key[:12])
        return stored

    async def _bought(self, key: str, request: Request, source: Source, bill: Bill) -> StoredAnswer:
        self._refuse_what_is_blocked(key)
        if not self._tiers:
            raise ReelmakeError("batch_unanswered", "no batch of this run has answered it")
        for tier, next_one in zip_longest(self._tiers, self._tiers[1:]):
            try:
                await self._buyer.buy(key, request, source, bill, tier=tier)
                break
            except ServiceError as error:
                if next_one is None or error.code not in _TIER_REFUSALS:
                    raise
                log.warning(
                    "the %s tier stays refused, asking %s: %s", tier, next_one, error.message
                )
        stored = self._store.get(key)
        if stored is None:
            raise ReelmakeError("store_unreadable", f"the answer {key[:12]} can't be read back")
        return stored

    def _refuse_what_is_blocked(self, key: str) -> None:
        rejection = self._store.rejection(key)
        if rejection is None or self._settings.retry_blocked:
            return
        error = InvalidAnswer(rejection.code, rejection.message)
        if error.kind == Kind.BLOCKED:
            raise error


def _tiers(settings: GeminiSettings) -> Sequence[str]:
    if settings.tier == "batch":
        return [tier for tier in settings.batch_fallback if tier != "batch"]
    return ["flex", "standard"] if settings.tier == "flex" else ["standard"]
