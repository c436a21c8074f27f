"""Which database a test runs on: by default on both; docs/testing.md says when one will do."""

import pytest

ENGINES = ["sqlite", "mariadb"]

on_sqlite = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True, scope="session")
on_mariadb = pytest.mark.parametrize("database_engine", ["mariadb"], indirect=True, scope="session")
