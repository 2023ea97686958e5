// One provider call, one DynamoDB put, one SQS message: the least that a lookup function does.
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { run } from "./runtime.mjs";

const { LEADS_TABLE, WRITEBACK_QUEUE_URL, PROVIDER_URL, PROVIDER_KEY, PROVIDER_DOMAIN } = process.env;
const dynamodb = new DynamoDBClient({});
const sqs = new SQSClient({});

async function lookUp(domain) {
  const reply = await fetch(`${PROVIDER_URL}/company/enrich`, {
    method: "POST",
    headers: { "authorization": `Bearer ${PROVIDER_KEY}`, "content-type": "application/json", "x-api-version": "2025-11-01" },
    body: JSON.stringify({ domains: [domain], fields: ["basic_info", "headcount", "funding", "technographics"] }),
  });
  if (!reply.ok) throw new Error(`the provider answered ${reply.status}`);
  const [{ matches: [match] }] = await reply.json();
  return match.company_data;
}

async function handle(event) {
  for (const record of event.Records) {
    const company = await lookUp(PROVIDER_DOMAIN);
    const item = {
      pk: { S: `default#RUN#${record.messageId}` },
      sk: { S: "RUN" },
      company: { S: company.basic_info.name },
      headcount: { N: String(company.headcount.total) },
      signup: { S: record.body },
    };
    await dynamodb.send(new PutItemCommand({ TableName: LEADS_TABLE, Item: item }));
    const message = JSON.stringify({ run: record.messageId, record: item.pk.S });
    await sqs.send(new SendMessageCommand({ QueueUrl: WRITEBACK_QUEUE_URL, MessageBody: message }));
  }
  return { batchItemFailures: [] };
}

run(handle);
