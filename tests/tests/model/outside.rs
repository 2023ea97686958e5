//! The ports beyond the store: queue, provider and CRM.

use async_trait::async_trait;
use domain::reply::Reply;
use domain::units::Millis;
use pipeline::ports::{Crm, CrmReply, CrmWrite, DeadLetter, LookupRequest, Provider, Queue, QueueError, QueueName, Received};

use crate::breakage::Breakage;
use crate::ports::Ports;
use crate::shared::Shared;

#[async_trait]
impl Queue for Ports {
    async fn send(&self, queue: QueueName, body: &str, delay: Millis) -> Result<(), QueueError> {
        let effect = {
            let body = body.to_owned();
            move |shared: &mut Shared| shared.send(queue, &body, delay)
        };
        let is_accept = self.wire.receipt == 0;
        if self.wire.broken == Some(Breakage::TwoStoresAtAccept) && is_accept {
            let effect = move |shared: &mut Shared| crate::wire::Answer::new(effect(shared));
            self.wire.put_off.lock().unwrap().send = Some(std::sync::Arc::new(effect));
            return Ok(());
        }
        if self.wire.broken == Some(Breakage::DeleteBeforeCopy) && queue != QueueName::Writeback && !is_accept {
            self.delete(queue, &self.wire.receipt.to_string()).await?;
        }
        let lost = QueueError { queue: queue.as_str(), why: "the answer was lost".to_owned() };
        self.wire.ask("send", Some(Err(lost)), effect).await
    }

    async fn receive(&self, queue: QueueName, _: usize, _: Millis) -> Result<Vec<Received>, QueueError> {
        Err(QueueError { queue: queue.as_str(), why: "the model hands messages out itself".to_owned() })
    }

    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        let receipt: u32 = receipt.parse().expect("a receipt of the model");
        let lost = QueueError { queue: queue.as_str(), why: "the answer was lost".to_owned() };
        self.wire.ask("delete", Some(Err(lost)), move |shared| shared.delete(receipt)).await
    }

    async fn dead_letters(&self, _: QueueName) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(Vec::new())
    }

    async fn delete_dead_letter(&self, _: QueueName, _: &str) -> Result<(), QueueError> {
        Ok(())
    }
}

#[async_trait]
impl Provider for Ports {
    async fn look_up(&self, _: &LookupRequest) -> Reply {
        let run = self.run.expect("only a lookup asks a provider");
        let reply = self.wire.ask("look_up", Some(Reply::TimedOut), move |shared| shared.bill(run)).await;
        let mark = self.wire.put_off.lock().unwrap().mark.take();
        if let Some((lease, reservation, bounds)) = mark {
            let _ = self.reserve_at_once(&lease, &reservation, &bounds).await;
        }
        reply
    }
}

#[async_trait]
impl Crm for Ports {
    async fn upsert(&self, write: &CrmWrite) -> CrmReply {
        let write = write.clone();
        let lost = CrmReply::Unavailable { why: "the answer was lost".to_owned() };
        self.wire.ask("upsert", Some(lost), move |shared| shared.write_contact(&write)).await
    }
}
