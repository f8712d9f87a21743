"""The plain alternative: one asyncio script with the SDK, which uploads, asks and writes a file.

No store, no checks, no report, no second chance: what anybody would write first.
"""

import argparse
import asyncio
import os
from pathlib import Path

import httpx2
from google import genai
from google.genai import types

MODEL = "gemini-3.5-flash-lite"


async def report(client: genai.Client, video: Path, out: Path, limit: asyncio.Semaphore) -> None:
    async with limit:
        with video.open("rb") as file:
            upload = await client.aio.files.upload(
                file=file, config=types.UploadFileConfig(mime_type="video/mp4")
            )
        while upload.state != types.FileState.ACTIVE:
            await asyncio.sleep(1)
            upload = await client.aio.files.get(name=upload.name or "")
        part = types.Part(
            file_data=types.FileData(file_uri=upload.uri, mime_type="video/mp4"),
            media_processing=types.MediaProcessing.STATIC,
        )
        answer = await client.aio.models.generate_content(
            model=MODEL,
            contents=[types.Content(role="user", parts=[part, types.Part(text="Summarise it.")])],
        )
        (out / f"{video.stem}.md").write_text(answer.text or "", encoding="utf-8")


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("videos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--jobs", type=int, default=64)
    arguments = parser.parse_args()
    arguments.out.mkdir(exist_ok=True)
    # By default no more than 100 calls are open at a time.
    connections = httpx2.Limits(max_connections=None, max_keepalive_connections=arguments.jobs)
    options = types.HttpOptions(async_client_args={"limits": connections})
    client = genai.Client(api_key=os.environ["GEMINI_API_KEY"], http_options=options)
    limit = asyncio.Semaphore(arguments.jobs)
    videos = sorted(arguments.videos.glob("*.mp4"))
    await asyncio.gather(*(report(client, video, arguments.out, limit) for video in videos))


if __name__ == "__main__":
    asyncio.run(main())
