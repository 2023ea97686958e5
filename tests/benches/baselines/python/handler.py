"""One provider call, one DynamoDB put, one SQS message: the least that a lookup function does."""

import json
import os

import boto3
import urllib3

TABLE = os.environ["LEADS_TABLE"]
QUEUE = os.environ["WRITEBACK_QUEUE_URL"]
PROVIDER = os.environ["PROVIDER_URL"]
DOMAIN = os.environ["PROVIDER_DOMAIN"]
HEADERS = {
    "authorization": f"Bearer {os.environ['PROVIDER_KEY']}",
    "content-type": "application/json",
    "x-api-version": "2025-11-01",
}

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")
http = urllib3.PoolManager(ca_certs=os.environ["AWS_CA_BUNDLE"])


def look_up(domain):
    body = {"domains": [domain], "fields": ["basic_info", "headcount", "funding", "technographics"]}
    reply = http.request("POST", f"{PROVIDER}/company/enrich", headers=HEADERS, body=json.dumps(body))
    if reply.status != 200:
        raise RuntimeError(f"the provider answered {reply.status}")
    return reply.json()[0]["matches"][0]["company_data"]


def handle(event, _context):
    for record in event["Records"]:
        company = look_up(DOMAIN)
        item = {
            "pk": {"S": f"default#RUN#{record['messageId']}"},
            "sk": {"S": "RUN"},
            "company": {"S": company["basic_info"]["name"]},
            "headcount": {"N": str(company["headcount"]["total"])},
            "signup": {"S": record["body"]},
        }
        dynamodb.put_item(TableName=TABLE, Item=item)
        message = json.dumps({"run": record["messageId"], "record": item["pk"]["S"]})
        sqs.send_message(QueueUrl=QUEUE, MessageBody=message)
    return {"batchItemFailures": []}
