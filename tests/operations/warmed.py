"""What every worker would do first is done once, in the server that workers are forked from."""

import gc

import dbos  # noqa: F401 - imported for those to come
from sqlalchemy.orm import configure_mappers

from controlplane.catalog import load
from tests.operations import crash_worker  # noqa: F401 - and with it the whole house

configure_mappers()
load()
gc.collect()
gc.freeze()  # none of this ever becomes garbage: nobody needs to look through it again
