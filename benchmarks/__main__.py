"""``python -m benchmarks [NAME...] [--profile NAME] [--peers] [--out DIR] [--json]``, or ``peers``, or ``page DIR``."""

import os
import sys

THREAD_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def main() -> int:
    for pool in THREAD_POOLS:  # before numpy is imported: it reads them once
        os.environ[pool] = "1"
    if sys.argv[1:2] == ["peers"]:
        from benchmarks import environments

        return environments.main(sys.argv[2:])
    if sys.argv[1:2] == ["page"]:
        from benchmarks import page

        return page.main(sys.argv[2:])
    from benchmarks import runner

    return runner.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
