"""OpenStack Swift with its S3 API, all of it in one process on 127.0.0.1: an account, a container and an object server
with a ring of one device each, and the proxy that speaks S3.

Usage: BIN/python swift_s3.py DIRECTORY REGION
Prints its port once it answers; the key is `test:tester`, the secret `testing`. Ends when its standard input does.
"""

import eventlet
import eventlet.wsgi

eventlet.monkey_patch()

import logging
import os
import sys

from eventlet.patcher import original
from swift.common import utils, wsgi
from swift.common.ring import RingBuilder

base, region = sys.argv[1:]


def write(name, text):
    with open(f"{base}/{name}", "w") as file:
        file.write(text)


def end_with_input():
    os.read(0, 1)
    os._exit(0)


original("threading").Thread(target=end_with_input, daemon=True).start()
logging.disable(logging.CRITICAL)
os.makedirs(f"{base}/devices/d1")
write("swift.conf", "[swift-hash]\nswift_hash_path_suffix = reconciled\n")
utils.validate_configuration = lambda: None
common = f"[DEFAULT]\nswift_dir = {base}\ndevices = {base}/devices\nmount_check = false\nlog_level = CRITICAL\n"
listeners = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in ("account", "container", "object", "proxy")}
for kind in ("account", "container", "object"):
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({
        "region": 1, "zone": 1, "ip": "127.0.0.1", "port": listeners[kind].getsockname()[1], "device": "d1",
        "weight": 1.0})
    builder.rebalance()
    builder.get_ring().save(f"{base}/{kind}.ring.gz")
    write(f"{kind}.conf", f"{common}[app:main]\nuse = egg:swift#{kind}\n")
# Small parts and small pages of them: the tests upload many. Their clocks are their own.
write("proxy.conf", f"""{common}[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats s3api tempauth bulk slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
location = {region}
max_parts_listing = 2
min_segment_size = 8
allowable_clock_skew = 1000000000
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
""")
utils.SWIFT_CONF_FILE = f"{base}/swift.conf"
for kind, listener in listeners.items():
    app = wsgi.loadapp(f"{base}/{kind}.conf", global_conf={"log_name": kind})
    eventlet.spawn(eventlet.wsgi.server, listener, app, log=open(os.devnull, "w"), protocol=wsgi.SwiftHttpProtocol)
print(listeners["proxy"].getsockname()[1], flush=True)
while True:
    eventlet.sleep(3600)
