"""Stands in for the running Python's own package of tests, and adds Debian's copy of it.

Many builds of Python leave the larger tests out. It is a package in a folder of its own, not an entry added
to a path at run time, so that worker processes find the same tests by the paths that they are handed.
"""

import os
import sys
import sysconfig

_own = os.path.join(sysconfig.get_path("stdlib"), "test")
_debian = "/usr/lib/python{}.{}/test".format(*sys.version_info)

__path__ = [path for path in (_own, _debian) if os.path.isdir(path)]
