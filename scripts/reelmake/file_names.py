"""Whether this machine's locale can name all files."""

import sys

from reelmake.errors import ReelmakeError


def check_file_names() -> None:
    """Tell before a run that names of files could not be written as they are.

    Raises ReelmakeError ``locale_unusable``.
    """
    encoding = sys.getfilesystemencoding()
    if encoding.lower() != "utf-8":
        message = f"names of files are expected in UTF-8; Python was told to write {encoding}"
        raise ReelmakeError("locale_unusable", message)
