"""What keeps others out of a file keeps root out as well, of what is started with this."""

import os

_RIGHTS = "-dac_override,-dac_read_search"
ORDINARY_USER = (
    ["setpriv", f"--inh-caps={_RIGHTS}", f"--bounding-set={_RIGHTS}"] if os.geteuid() == 0 else []
)
