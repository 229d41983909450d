"""Packages of the distribution; everything else is in pyproject.toml.

`twisted.plugins` is named here although it has no `__init__.py`: Twisted owns that package, we add one module to it.
`templates/`, `static/`, `locales/` and `examples/` stand at the top of the repository, where translators, designers and
operators look, and travel inside the package.
"""

from setuptools import find_packages, setup

SHIPPED = ("templates", "static", "locales", "examples")

setup(
    packages=[
        *find_packages(include=["flexid", "flexid.*"]),
        "twisted.plugins",
        *(f"flexid.{name}" for name in SHIPPED),
    ],
    package_dir={f"flexid.{name}": name for name in SHIPPED},
    package_data={
        "flexid": ["py.typed", "store/migrations/*.sql"],
        "flexid.templates": ["**/*"],
        "flexid.static": ["*"],
        "flexid.locales": ["*/LC_MESSAGES/*.po"],
        "flexid.examples": ["*"],
    },
)
