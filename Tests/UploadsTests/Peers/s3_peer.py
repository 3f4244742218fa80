"""S3 that is not ours: botocore signs, boto3 uploads, moto or OpenStack Swift answers and checks every signature.

Usage: BIN/python s3_peer.py sign|moto|moto-unchecked|swift
Reads one JSON object a line from standard input and answers with one; ends when its standard input does. The servers first
print where they listen and their keys; `moto-unchecked` takes any signature, for moto finds even boto3's wrong where a
key has to be percent-encoded.
"""

import json
import os
import sys


def sign():
    """{method, root, key, query, headers, body, access_key, secret_key, region, time} → what botocore makes of it.

    Key and query are as they are: encoding them is part of what is compared.
    """
    import datetime

    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from botocore.utils import percent_encode

    class Signer(botocore.auth.S3SigV4Auth):
        def canonical_request(self, request):
            self.canonical = super().canonical_request(request)
            return self.canonical

    for line in sys.stdin:
        asked = json.loads(line)
        stamp = datetime.datetime.strptime(asked["time"], "%Y%m%dT%H%M%SZ")
        botocore.auth.get_current_datetime = lambda *arguments, **named: stamp
        signer = Signer(Credentials(asked["access_key"], asked["secret_key"]), "s3", asked["region"])
        request = AWSRequest(
            method=asked["method"], url=asked["root"] + percent_encode(asked["key"], safe="/~"),
            params=asked["query"], data=asked["body"].encode(), headers=dict(asked["headers"]))
        # As botocore's S3 clients can be told: the payload is hashed and signed over https too.
        request.context["client_config"] = type("Config", (), {"s3": {"payload_signing_enabled": True}})
        signer.add_auth(request)
        print(json.dumps({
            "canonical": signer.canonical, "authorization": request.headers["Authorization"],
            "hash": request.headers["X-Amz-Content-SHA256"]}), flush=True)


region = "eu-central-1"


def moto(checked=True):
    # After the three calls that make a user with a key.
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "3" if checked else "1000000"
    # Small parts: the tests upload many.
    os.environ["S3_UPLOAD_PART_MIN_SIZE"] = "8"
    import logging

    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://127.0.0.1:{port}"
    unsigned = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": region, "endpoint_url": endpoint}
    iam = boto3.client("iam", **unsigned)
    iam.create_user(UserName="reconciled")
    key = iam.create_access_key(UserName="reconciled")["AccessKey"]
    iam.put_user_policy(UserName="reconciled", PolicyName="all", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
    serve(endpoint, key["AccessKeyId"], key["SecretAccessKey"])
    server.stop()


def swift():
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory(prefix="reconciled-swift.") as directory:
        server = subprocess.Popen(
            [sys.executable, os.path.join(os.path.dirname(__file__), "swift_s3.py"), directory, region],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        serve(f"http://127.0.0.1:{int(server.stdout.readline())}", "test:tester", "testing")
        server.stdin.close()
        server.wait()


def serve(endpoint, access_key, secret_key):
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    s3 = boto3.client(
        "s3", aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=region, endpoint_url=endpoint,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
    bucket = "media"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    print(json.dumps({
        "endpoint": endpoint, "bucket": bucket, "region": region, "access_key": access_key,
        "secret_key": secret_key}), flush=True)

    def parts(place, asked):
        pages = s3.get_paginator("list_parts").paginate(**place, UploadId=asked["upload_id"])
        return [part for page in pages for part in page.get("Parts", [])]

    def answer(asked):
        place = {"Bucket": bucket, "Key": asked["key"]}
        body = asked.get("body", "").encode()
        match asked["op"]:
            case "create":
                return {"upload_id": s3.create_multipart_upload(**place)["UploadId"]}
            case "part":
                part = s3.upload_part(
                    **place, UploadId=asked["upload_id"], PartNumber=asked["number"], Body=body)
                return {"etag": part["ETag"]}
            case "put":
                return {"etag": s3.put_object(**place, Body=body)["ETag"]}
            case "complete":
                made = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts(place, asked)]
                return {"etag": s3.complete_multipart_upload(
                    **place, UploadId=asked["upload_id"], MultipartUpload={"Parts": made})["ETag"]}
            case "delete":
                s3.delete_object(**place)
                return {}
            case "get":
                return {"body": s3.get_object(**place)["Body"].read().decode()}
            case "list":
                return {"count": len(parts(place, asked))}

    for line in sys.stdin:
        try:
            result = answer(json.loads(line))
        except ClientError as error:
            result = {"error": error.response["Error"]["Code"]}
        print(json.dumps(result), flush=True)


{"sign": sign, "moto": moto, "moto-unchecked": lambda: moto(checked=False), "swift": swift}[sys.argv[1]]()
