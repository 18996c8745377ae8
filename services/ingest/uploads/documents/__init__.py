"""Documents that come with the page, for tables whose columns are named as it asks."""

from pathlib import Path

FOLDER = Path(__file__).parent
