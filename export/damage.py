"""What a damaged file makes numpy raise: .npy headers are parsed as Python's tokens, .npz files are archives."""

import tokenize
import zipfile
import zlib

DAMAGED = (OSError, KeyError, ValueError, TypeError, AttributeError, EOFError, SyntaxError, RuntimeError, MemoryError,
           zipfile.BadZipFile, zlib.error, tokenize.TokenError)
