"""reelmake: Markdown reports from videos. This package knows nothing of Snakemake."""

__version__ = "0.1.0"
