"""What every worker would do first is done once, in the server that workers are forked from."""

import gc

import dbos  # noqa: F401 - imported for those to come
from sqlalchemy.orm import configure_mappers

from controlplane.catalog import load
from controlplane.catalog.attributes import load_attributes
from controlplane.catalog.pricebook import load_book
from controlplane.catalog.prices.model import load_model
from controlplane.rendering import render_tenant
from tests.golden.workspaces import tenant
from tests.operations import crash_worker  # noqa: F401 - and with it the whole house

configure_mappers()
load_model()
load_book()
load_attributes()
render_tenant(tenant(), load())  # compiles templates
gc.collect()
gc.freeze()  # none of this ever becomes garbage: nobody needs to look through it again
