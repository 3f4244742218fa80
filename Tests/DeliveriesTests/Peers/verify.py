"""Verifies webhooks with the library that receivers use.

Each line of standard input is a JSON object: secret, headers, body. Each line of the answer is what the body says its type
is, or the name of the exception that the library threw.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook

for line in sys.stdin:
    question = json.loads(line)
    try:
        print(Webhook(question["secret"]).verify(question["body"].encode(), question["headers"])["type"], flush=True)
    except Exception as error:
        print(type(error).__name__, flush=True)
