//! The cases of row d and what each came to.

use domain::units::Millis;

use super::Scene;
use super::meter::Metered;
use crate::prices::Prices;
use crate::world::{Class, Person};

/// What one signup was billed.
#[derive(Clone, Debug, Default)]
pub(super) struct Bill {
    pub(super) requests: Vec<Metered>,
}

impl Bill {
    pub(super) fn write_units(&self) -> u64 {
        self.requests.iter().map(|request| request.write).sum()
    }

    #[expect(clippy::cast_precision_loss, reason = "some hundreds at most")]
    pub(super) fn write_units_exact(&self) -> f64 {
        self.write_units() as f64
    }

    pub(super) fn read_units(&self) -> f64 {
        self.requests.iter().map(|request| request.read).sum()
    }

    pub(super) fn sqs_requests(&self) -> u64 {
        self.requests.iter().map(|request| request.sqs).sum()
    }

    /// The webhook, and one for each message that was received.
    pub(super) fn invocations(&self) -> u64 {
        1 + self.requests.iter().filter(|request| request.operation == "ReceiveMessage").count() as u64
    }

    /// What a thousand such signups cost at list price.
    #[expect(clippy::cast_precision_loss, reason = "some tens at most")]
    pub(super) fn dollars_a_thousand(&self, prices: &Prices) -> f64 {
        let lines = [
            (self.write_units_exact(), prices.dynamodb_million_write_units),
            (self.read_units(), prices.dynamodb_million_read_units),
            (self.sqs_requests() as f64, prices.sqs_million_requests),
            (self.invocations() as f64, prices.lambda_million_requests),
        ];
        lines.iter().map(|(quantity, price)| quantity * price.each / 1000.0).sum()
    }

    /// The requests, one a line.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.requests.iter().map(|request| {
            let Metered { operation, items, write, read, sqs, refused, .. } = request;
            let refused = if *refused { ", refused" } else { "" };
            let units = match (write, sqs) {
                (0, 0) => format!("{read} read"),
                (0, sqs) => format!("{sqs} SQS"),
                (write, _) => format!("{write} write"),
            };
            format!("{operation} {items}: {units}{refused}")
        })
    }
}

pub(super) struct Cases {
    pub(super) duplicate: Bill,
    pub(super) classes: [(Class, Bill); 3],
    pub(super) tick: Bill,
}

/// Plays every case in a world in which one person and their company are known and the month has begun.
pub(super) async fn play(scene: &Scene) -> anyhow::Result<Cases> {
    let known = Person { company: 0, number: 0 };
    let new = |company, number| Person { company, number };
    scene.play(&known, "delivery-000000").await?;
    scene.clock.pass(Millis::days(2));
    let hit = scene.play(&known, "delivery-000001").await?;
    let duplicate = scene.play(&known, "delivery-000001").await?;
    // The first signup of a day, a week or a month makes their counters.
    scene.play(&new(1, 1), "delivery-000002").await?;
    let one = scene.play(&new(0, 2), "delivery-000003").await?;
    let three = scene.play(&new(2, 3), "delivery-000004").await?;
    let tick = scene.tick().await?;
    let bill = |requests| Bill { requests };
    let classes = [(Class::Hit, bill(hit)), (Class::One, bill(one)), (Class::Three, bill(three))];
    Ok(Cases { duplicate: bill(duplicate), classes, tick: bill(tick) })
}
