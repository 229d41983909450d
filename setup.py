"""Packages of the distribution; everything else is in pyproject.toml.

`twisted.plugins` is named here although it has no `__init__.py`: Twisted owns that package, we add one module to it.
`templates/` and `locales/` stand at the top of the repository, where translators and designers look, and travel inside
the package.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["flexid", "flexid.*"]), "twisted.plugins", "flexid.templates", "flexid.locales"],
    package_dir={"flexid.templates": "templates", "flexid.locales": "locales"},
    package_data={
        "flexid": ["py.typed", "store/migrations/*.sql"],
        "flexid.templates": ["**/*"],
        "flexid.locales": ["*/LC_MESSAGES/*.po"],
    },
)
