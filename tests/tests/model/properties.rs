//! What must hold after every step (RELIABILITY §1), and what at the end.

use domain::units::Credits;
use pipeline::ports::{QueueName, Stage};
use stateright::Property;

use crate::chain::Chain;
use crate::setup::Expected;
use crate::world::World;

pub(crate) const I1: &str = "I1 a month adds up, and nothing in it is below zero";
pub(crate) const I2: &str = "I2 each reservation is resolved at most once";
pub(crate) const I3: &str = "I3 billed is at most used and reserved";
pub(crate) const CAP: &str = "never past the allocation";
pub(crate) const I4: &str = "I4 what was accepted and has not ended has a message";
pub(crate) const I4_CRM: &str = "I4 what the CRM does not hold yet has a message";
pub(crate) const I5: &str = "I5 fences grow, and no write with an old one lands";
pub(crate) const I7: &str = "I7 usage adds up by all its ways of counting";
pub(crate) const I8: &str = "I8 the ledger rebuilds the balance";
pub(crate) const I8_IDLE: &str = "I8 credits that nobody works with are available or in the ledger";
pub(crate) const ONE_CONTACT: &str = "a contact is created at most once";
pub(crate) const ONE_CALL: &str = "no attempt is called twice";
pub(crate) const ENDS: &str = "every signup ends";
pub(crate) const NEWEST: &str = "the CRM ends with the newest decision";
pub(crate) const BOTH_BUSY: &str = "two workers are at work";
pub(crate) const WRITTEN: &str = "everything ends and the CRM is written";

pub(crate) fn all() -> Vec<Property<Chain>> {
    vec![
        Property::always(I1, |_, world: &World| {
            let balance = &world.shared.stored.balance;
            balance.adds_up() && [balance.available, balance.reserved, balance.used].iter().all(|part| *part >= Credits::ZERO)
        }),
        Property::always(I2, |_, world: &World| {
            let stored = &world.shared.stored;
            let resolved = stored.reservations.iter().filter(|entry| !entry.is_open()).count();
            stored.calls_counted == u64::try_from(resolved).unwrap()
        }),
        Property::always(I3, |_, world: &World| {
            let balance = &world.shared.stored.balance;
            world.shared.billed() <= balance.used.plus(balance.reserved)
        }),
        Property::always(CAP, |chain: &Chain, world: &World| {
            let balance = &world.shared.stored.balance;
            let allocation = chain.setup.config.limits.allocation;
            balance.used.plus(balance.reserved) <= allocation && world.shared.billed() <= allocation
        }),
        Property::always(I4, |_, world: &World| {
            let ended = |signup: usize| world.shared.stored.stages[signup] == Some(Stage::Done);
            let accepted = world.shared.accepted.iter().enumerate().filter(|(_, accepted)| **accepted);
            accepted.into_iter().all(|(signup, _)| ended(signup) || world.shared.has_lookup_of(signup))
        }),
        Property::always(I4_CRM, |_, world: &World| {
            world.shared.stored.expected.iter().all(|expected| {
                let handed_over = world.shared.stored.stages[expected.signup] == Some(Stage::Done);
                let has_message = world.shared.queue.iter().any(|message| message.queue == QueueName::Writeback);
                !handed_over || holds(world, expected) || has_message
            })
        }),
        Property::always(I5, |_, world: &World| world.shared.wrong.is_none()),
        Property::always(I7, |_, world: &World| world.shared.stored.usage_adds_up),
        Property::always(I8, |_, world: &World| {
            let stored = &world.shared.stored;
            stored.rebuilt() == (stored.balance.reserved, stored.balance.used)
        }),
        Property::always(I8_IDLE, |chain: &Chain, world: &World| {
            let stored = &world.shared.stored;
            let (reserved, used) = stored.rebuilt();
            let left = chain.setup.config.limits.allocation.minus(reserved).minus(used);
            world.places.iter().any(Option::is_some) || stored.balance.available == left
        }),
        Property::always(ONE_CONTACT, |_, world: &World| world.shared.contacts.values().all(|contact| contact.created == 1)),
        // No vendor of the model limits the rate, so that a run has one attempt.
        Property::always(ONE_CALL, |_, world: &World| world.shared.bills.iter().all(|bill| bill.calls <= 1)),
        Property::always(ENDS, |_, world: &World| {
            !world.is_at_rest() || world.shared.stored.stages.iter().all(|stage| *stage == Some(Stage::Done))
        }),
        Property::always(NEWEST, |_, world: &World| {
            !world.is_at_rest() || world.shared.stored.expected.iter().all(|expected| holds(world, expected))
        }),
        Property::sometimes(BOTH_BUSY, |_, world: &World| world.places.iter().all(Option::is_some)),
        Property::sometimes(WRITTEN, |_, world: &World| world.is_at_rest() && !world.shared.contacts.is_empty()),
    ]
}

fn holds(world: &World, expected: &Expected) -> bool {
    world.shared.contacts.get(&expected.address).is_some_and(|contact| contact.properties == expected.properties)
}
