"""Every parser of bytes from outside, with valid inputs to alter; fuzz.py feeds them."""

from tests.faults.parsing import catalogs, documents, media, models, requests, weights
from tests.faults.parsing.parser import Parser

PARSERS = (*documents.PARSERS, *catalogs.PARSERS, *models.PARSERS, *media.PARSERS, *requests.PARSERS,
           *weights.PARSERS)

__all__ = ["PARSERS", "Parser"]
