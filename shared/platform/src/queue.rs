use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::receive_message::builders::ReceiveMessageFluentBuilder;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName};
use domain::priority::Priority;
use domain::units::{Millis, Timestamp};
use futures::future::join_all;
use pipeline::ports::{DEAD_LETTERS_MOST, DeadLetter, Queue, QueueError, QueueName, Received};

/// SQS delays a message by at most this many seconds.
const LONGEST_DELAY_SECONDS: i32 = 900;
/// SQS hides a message for at most twelve hours.
const LONGEST_VISIBILITY_SECONDS: i32 = 43_200;
/// SQS hands out at most this many messages at a time.
const MOST_AT_A_TIME: i32 = 10;
/// SQS takes at most this many messages in a batch.
const BATCH_MOST: usize = 10;
/// Dead letters are hidden while they are read, so that one reading sees each once; at its end they are shown again. When that
/// does not come through, they show again by themselves after this time.
const DEAD_LETTER_HIDDEN_SECONDS: i32 = 30;
/// Without waiting, SQS asks only some of its machines, and a queue that holds little may look empty.
const DEAD_LETTER_WAIT_SECONDS: i32 = 1;

/// The addresses of the queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueUrls {
    queues: BTreeMap<QueueName, String>,
    dead_letters: BTreeMap<QueueName, String>,
}

impl QueueUrls {
    /// The queues at these addresses; a queue that is not among them cannot be used.
    #[must_use]
    pub fn new(queues: impl IntoIterator<Item = (QueueName, String)>) -> Self {
        Self { queues: queues.into_iter().collect(), dead_letters: BTreeMap::new() }
    }

    /// Adds the dead-letter queues, for tools that read them.
    #[must_use]
    pub fn with_dead_letters(self, dead_letters: impl IntoIterator<Item = (QueueName, String)>) -> Self {
        Self { dead_letters: dead_letters.into_iter().collect(), ..self }
    }

    /// The environment variable that holds a queue's address.
    #[must_use]
    pub const fn variable(queue: QueueName) -> &'static str {
        match queue {
            QueueName::Lookup(Priority::Critical) => "LOOKUP_CRITICAL_QUEUE_URL",
            QueueName::Lookup(Priority::High) => "LOOKUP_HIGH_QUEUE_URL",
            QueueName::Lookup(Priority::Normal) => "LOOKUP_NORMAL_QUEUE_URL",
            QueueName::Lookup(Priority::Low) => "LOOKUP_LOW_QUEUE_URL",
            QueueName::Score => "SCORE_QUEUE_URL",
            QueueName::Writeback => "WRITEBACK_QUEUE_URL",
        }
    }

    fn of(&self, queue: QueueName) -> Result<&str, QueueError> {
        let url = self.queues.get(&queue).map(String::as_str);
        url.ok_or_else(|| failure(queue, format!("its address is not known; set {}", Self::variable(queue))))
    }

    fn dead_letters_of(&self, queue: QueueName) -> Result<&str, QueueError> {
        let url = self.dead_letters.get(&queue).map(String::as_str);
        url.ok_or_else(|| failure(queue, "the address of its dead-letter queue is not known".to_owned()))
    }
}

/// The queues on SQS.
#[derive(Clone, Debug)]
pub struct SqsQueue {
    client: Client,
    urls: QueueUrls,
}

impl SqsQueue {
    pub(crate) fn new(client: Client, urls: QueueUrls) -> Self {
        Self { client, urls }
    }

    fn receive_from(&self, url: &str) -> ReceiveMessageFluentBuilder {
        let request = self.client.receive_message().queue_url(url);
        request.message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
    }

    /// Reads on until nothing new comes; the letters are hidden then.
    async fn read_dead_letters(&self, queue: QueueName, url: &str, letters: &mut Vec<DeadLetter>) -> Result<(), QueueError> {
        let mut seen = BTreeSet::new();
        while letters.len() < DEAD_LETTERS_MOST {
            let request = self
                .receive_from(url)
                .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
                .max_number_of_messages(MOST_AT_A_TIME)
                .visibility_timeout(DEAD_LETTER_HIDDEN_SECONDS)
                .wait_time_seconds(DEAD_LETTER_WAIT_SECONDS);
            let answer = request.send().await.map_err(|error| refused(queue, &error))?;
            let before = letters.len();
            let read = answer.messages.unwrap_or_default().into_iter().map(dead_letter);
            letters.extend(read.filter(|letter| seen.insert(letter.id.clone())));
            if letters.len() == before {
                break;
            }
        }
        Ok(())
    }

    /// Shows letters again at once. What fails here shows by itself a little later.
    async fn show_again(&self, url: &str, letters: &[DeadLetter]) {
        let batches = letters.chunks(BATCH_MOST).map(|batch| {
            let entry = |(index, letter): (usize, &DeadLetter)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string()).visibility_timeout(0);
                entry.receipt_handle(&letter.receipt).build().ok()
            };
            let entries = batch.iter().enumerate().filter_map(entry).collect();
            self.client.change_message_visibility_batch().queue_url(url).set_entries(Some(entries)).send()
        });
        drop(join_all(batches).await);
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, queue: QueueName, body: &str, delay: Millis) -> Result<(), QueueError> {
        let url = self.urls.of(queue)?;
        let delay = whole_seconds(delay, LONGEST_DELAY_SECONDS);
        let request = self.client.send_message().queue_url(url).message_body(body).delay_seconds(delay);
        request.send().await.map(drop).map_err(|error| refused(queue, &error))
    }

    async fn receive(&self, queue: QueueName, max: usize, visibility: Millis) -> Result<Vec<Received>, QueueError> {
        let most = i32::try_from(max).unwrap_or(MOST_AT_A_TIME).clamp(1, MOST_AT_A_TIME);
        let hidden = whole_seconds(visibility, LONGEST_VISIBILITY_SECONDS);
        let request = self.receive_from(self.urls.of(queue)?).max_number_of_messages(most).visibility_timeout(hidden);
        let answer = request.send().await.map_err(|error| refused(queue, &error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(received).collect())
    }

    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        let request = self.client.delete_message().queue_url(self.urls.of(queue)?).receipt_handle(receipt);
        match request.send().await {
            Err(error) if is_old_receipt(&error) => Ok(()),
            answer => answer.map(drop).map_err(|error| refused(queue, &error)),
        }
    }

    async fn dead_letters(&self, queue: QueueName) -> Result<Vec<DeadLetter>, QueueError> {
        let url = self.urls.dead_letters_of(queue)?;
        let mut letters = Vec::new();
        let read = self.read_dead_letters(queue, url, &mut letters).await;
        self.show_again(url, &letters).await;
        read.map(|()| letters)
    }

    async fn delete_dead_letter(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        let request = self.client.delete_message().queue_url(self.urls.dead_letters_of(queue)?).receipt_handle(receipt);
        request.send().await.map(drop).map_err(|error| refused(queue, &error))
    }
}

fn received(message: Message) -> Received {
    Received {
        receive_count: receive_count(&message),
        id: message.message_id.unwrap_or_default(),
        receipt: message.receipt_handle.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
    }
}

fn dead_letter(message: Message) -> DeadLetter {
    let sent_at = attribute(&message, &MessageSystemAttributeName::SentTimestamp).map(Timestamp::from_millis);
    let Received { id, receipt, body, receive_count } = received(message);
    DeadLetter { id, receipt, body, receive_count, sent_at }
}

fn receive_count(message: &Message) -> u32 {
    attribute(message, &MessageSystemAttributeName::ApproximateReceiveCount).unwrap_or(1)
}

fn attribute<T: FromStr>(message: &Message, name: &MessageSystemAttributeName) -> Option<T> {
    message.attributes.as_ref()?.get(name)?.parse().ok()
}

/// Rounded up: a message must not come before its time.
fn whole_seconds(span: Millis, most: i32) -> i32 {
    let seconds = span.0.max(0).saturating_add(999) / 1000;
    i32::try_from(seconds).map_or(most, |seconds| seconds.min(most))
}

fn is_old_receipt<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    matches!(error.code(), Some("ReceiptHandleIsInvalid" | "InvalidParameterValue"))
}

fn refused<E: ProvideErrorMetadata, R>(queue: QueueName, error: &SdkError<E, R>) -> QueueError {
    failure(queue, crate::aws::failure_words(error).to_owned())
}

fn failure(queue: QueueName, why: String) -> QueueError {
    QueueError { queue: queue.as_str(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_rounded_up_and_never_longer_than_sqs_allows() {
        for (span, seconds) in [(Millis(-5), 0), (Millis(0), 0), (Millis(1), 1), (Millis(1000), 1), (Millis::minutes(60), 900)] {
            assert_eq!(whole_seconds(span, LONGEST_DELAY_SECONDS), seconds);
        }
    }

    #[test]
    fn every_queue_has_a_variable_of_its_own() {
        let variables: BTreeSet<&str> = QueueName::ALL.into_iter().map(QueueUrls::variable).collect();
        assert_eq!(variables.len(), QueueName::ALL.len());
    }
}
