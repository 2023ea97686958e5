//! What a user's commands need is among the stack's outputs.

use serde_json::{Value, json};
use tests::template::Template;

use crate::{hold, unless};

fn check(template: &Template) -> Vec<String> {
    let queues = template.of_type("AWS::SQS::Queue").map(|queue| (format!("{}Url", queue.id), json!({ "Ref": queue.id })));
    let tables = template.of_type("AWS::DynamoDB::Table").map(|table| (table.id.to_owned(), json!({ "Ref": table.id })));
    // The secret that the stack made, or the one that its user has.
    let secrets = template.of_type("AWS::SecretsManager::Secret").map(|secret| {
        let given = format!("{}Arn", secret.id);
        let value = json!({ "Fn::If": [format!("Makes{}", secret.id), {"Ref": secret.id}, {"Ref": given}] });
        (given, value)
    });
    let wanted = queues.chain(tables).chain(secrets);
    wanted
        .filter_map(|(output, value)| {
            let there = template.at(&format!("/Outputs/{output}/Value"));
            unless(*there == value, || format!("output {output} is {there}, not {value}"))
        })
        .collect()
}

#[test]
fn every_queue_dead_letter_queue_table_and_secret_has_its_output() {
    hold(
        check,
        &[
            ("/Outputs/LookupHighQueueUrl", Value::Null, "output LookupHighQueueUrl"),
            ("/Outputs/WritebackDlqUrl", Value::Null, "output WritebackDlqUrl"),
            ("/Outputs/WritebackDlqUrl/Value/Ref", json!("WritebackQueue"), "output WritebackDlqUrl"),
            ("/Outputs/SettingsTable", Value::Null, "output SettingsTable"),
            ("/Outputs/LeadsTable/Value/Ref", json!("CacheTable"), "output LeadsTable"),
            ("/Outputs/VendorSecretsArn", Value::Null, "output VendorSecretsArn"),
            ("/Outputs/WebhookSecretsArn/Value/Fn::If/1/Ref", json!("VendorSecrets"), "output WebhookSecretsArn"),
            ("/Resources/SpareDlq", json!({"Type": "AWS::SQS::Queue"}), "output SpareDlqUrl"),
        ],
    );
}
