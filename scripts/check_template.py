"""Rule check_template: says of a template what is wrong or odd. `check_template.py NAME`."""

import argparse
import sys

from reelmake.errors import ReelmakeError
from reelmake.template_advice import advice, describe
from reelmake.templates import load_template


def main(name: str) -> int:
    try:
        template = load_template(name)
    except ReelmakeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    odd = advice(template)
    sys.stdout.write(f"{describe(template)}\n")
    sys.stdout.writelines(f"  to look at: {found}\n" for found in odd)
    if not odd:
        sys.stdout.write("  everything fits together\n")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a folder of templates/, in the working directory or ours")
    sys.exit(main(parser.parse_args().name))
