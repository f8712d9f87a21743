"""``videos:``, from what a user wrote to one checked record a report."""

from reelmake.inputs.table import targets, video_table

__all__ = ["targets", "video_table"]
