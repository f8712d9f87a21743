"""Rule fetch_video: an address → the video's file."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.fetched import target_of_fetching
from reelmake.fetching import fetch
from reelmake.fetching_youtube import fetch_youtube
from reelmake.inputs.youtube import video_id
from reelmake.jobs import job
from reelmake.results import Results

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(url: str, video: Path) -> None:
    if video_id(url):
        fetch_youtube(url, video)
    else:
        fetch(url, video)


if __name__ == "__main__":
    address, path = snakemake.params.url, Path(snakemake.output.video)
    target = target_of_fetching(address, path)
    with job(target, Results(Path(snakemake.params.results)), Path(snakemake.log[0])) as outcome:
        main(address, path)
    outcome.exit()
