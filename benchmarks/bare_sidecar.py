"""The sidecar without its policies: engines are asked directly. It is only there for `policies.py` to measure against."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sidecar import deferred, descriptors

claimed = descriptors.claim()
deferred.install()

from sidecar import app, policies

policies.with_policies = lambda engine, _: engine
app.main(sys.argv[1:], claimed)
