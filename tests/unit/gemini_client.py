"""Asking as a job does: the real SDK over HTTP against the double."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gemini_double import TEST_KEY
from reelmake.config import GeminiSettings
from reelmake.gemini.asking import Asker, Check
from reelmake.gemini.budget import Budget
from reelmake.gemini.calling import Bill, Caller, Source
from reelmake.gemini.checked import Checked
from reelmake.gemini.projects import Projects
from reelmake.gemini.request import Clip, Request
from reelmake.gemini.stopping import Stopping
from reelmake.meter import Meter
from reelmake.results import Results

SECOND_KEY = "second-key"
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}},
    "required": ["title"],
}


def request(source: Source, model: str = "gemini-3.5-flash-lite", **clip: Any) -> Request:
    return Request(
        model=model,
        prompt="Report in English.",
        schema=SCHEMA,
        clip=Clip(identity=source.identity, fps=1.0, media_resolution="low", **clip),
    )


def take(answer: dict[str, Any]) -> Checked:
    return Checked({"text": answer["candidates"][0]["content"]["parts"][0]["text"]})


class Client:
    """Asks as a job does, with a store that stays."""

    def __init__(self, root: Path, *keys: str, **settings: Any) -> None:
        self.results = Results(root)
        self.store = self.results.store
        self.keys = keys or (TEST_KEY,)
        self.settings = GeminiSettings(**settings)
        self.bill = Bill()
        self.budget = Budget(None)
        self.meter = Meter()

    def ask(self, asked: Request, source: Source, check: Check = take) -> Checked:
        (outcome,) = self.ask_together([asked], source, check)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def ask_together(
        self, asked: Sequence[Request], source: Source, check: Check = take
    ) -> list[Checked | BaseException]:
        async def once() -> list[Checked | BaseException]:
            async with Projects(self.settings, self.keys, self.results) as projects:
                asker = self.asker(projects)
                asking = (asker.ask(each, source, check, self.bill) for each in asked)
                return await asyncio.gather(*asking, return_exceptions=True)

        return asyncio.run(once())

    def asker(self, projects: Projects) -> Asker:
        caller = Caller(
            self.settings,
            projects,
            self.store,
            budget=self.budget,
            stopping=Stopping(),
            meter=self.meter,
        )
        return Asker(self.settings, caller, self.store, run=asyncio.to_thread)

    def check(self) -> None:
        async def once() -> None:
            async with Projects(self.settings, self.keys, self.results) as projects:
                await projects.check(self.settings.model)

        asyncio.run(once())
