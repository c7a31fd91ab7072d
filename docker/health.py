"""Whether the web process of this container can serve: exit status 0 or 1, and what it says of itself."""  # noqa: INP001 -- a script of the image, in no package

import os
import sys
import urllib.error
import urllib.request

headers = {"Host": os.environ.get("WEIGHBRIDGE_HOSTS", "localhost").split(",")[0], "X-Forwarded-Proto": "https"}
address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000/readyz"
try:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=5) as answer:  # noqa: S310 -- its own port
        print(answer.read().decode())  # noqa: T201 -- for `docker inspect`
except urllib.error.HTTPError as refusal:
    sys.exit(refusal.read().decode())
except OSError as error:
    sys.exit(str(error))
