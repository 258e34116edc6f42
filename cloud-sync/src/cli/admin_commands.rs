//! `town`, `user`, `device` and `token`: they ask the running service, and print what it answers.

use cloud_sync_api::environment::Environment;
use cloud_sync_api::failure::Failure;
use serde_json::{Map, Value, json};

use super::args::{DeviceCommand, TokenCommand, TownCommand, UserCommand};
use super::client::Client;

/// A column of a table: its title, and the member of a row.
type Column = (&'static str, &'static str);

pub(super) async fn town(command: &TownCommand, environment: &Environment) -> Result<(), Failure> {
    match command {
        TownCommand::Add { id, owner, reach } => {
            let body = without_nulls(json!({ "id": id, "owner": owner }));
            let made = Client::of(reach, environment)?.post(&["towns"], &body).await?;
            println!("{}", text(&made, "token"));
        }
        TownCommand::List { reach } => {
            let rows = Client::of(reach, environment)?.get(&["towns"]).await?;
            print!("{}", table(&rows, &[("id", "id"), ("owner", "owner"), ("made", "created_at")]));
        }
        TownCommand::Remove { id, yes, reach } => {
            if !yes {
                return Err(Failure::Usage(format!(
                    "this deletes everything that was ever written in the town {id}, for ever: say --yes if you mean it"
                )));
            }
            Client::of(reach, environment)?.delete(&["towns", id]).await?;
            println!("removed {id}");
        }
    }
    Ok(())
}

pub(super) async fn user(command: &UserCommand, environment: &Environment) -> Result<(), Failure> {
    match command {
        UserCommand::Add { id, reach } => {
            Client::of(reach, environment)?.post(&["users"], &json!({ "id": id })).await?;
            println!("added {id}");
        }
        UserCommand::List { reach } => {
            let rows = Client::of(reach, environment)?.get(&["users"]).await?;
            print!("{}", table(&rows, &[("id", "id"), ("added", "created_at")]));
        }
        UserCommand::Remove { id, reach } => {
            Client::of(reach, environment)?.delete(&["users", id]).await?;
            println!("removed {id}");
        }
    }
    Ok(())
}

pub(super) async fn device(command: &DeviceCommand, environment: &Environment) -> Result<(), Failure> {
    match command {
        DeviceCommand::Add { robot, user, reach } => {
            let body = without_nulls(json!({ "robot": robot, "user_id": user }));
            let made = Client::of(reach, environment)?.post(&["devices"], &body).await?;
            println!("{}", text(&made, "code"));
        }
        DeviceCommand::List { reach } => {
            let rows = Client::of(reach, environment)?.get(&["devices"]).await?;
            let columns = [
                ("id", "id"),
                ("user", "user_id"),
                ("version", "version"),
                ("paired", "paired_at"),
                ("revoked", "revoked_at"),
            ];
            print!("{}", table(&rows, &columns));
        }
        DeviceCommand::Revoke { id, reach } => {
            Client::of(reach, environment)?.delete(&["devices", id]).await?;
            println!("revoked {id}");
        }
    }
    Ok(())
}

pub(super) async fn token(command: &TokenCommand, environment: &Environment) -> Result<(), Failure> {
    match command {
        TokenCommand::Create { scope, class, user, name, town, reach } => {
            let scopes: Vec<&str> = scope.iter().flat_map(|words| words.split(',')).map(str::trim).collect();
            let body = without_nulls(
                json!({ "scopes": scopes, "class": class, "user_id": user, "name": name, "town": town }),
            );
            let made = Client::of(reach, environment)?.post(&["tokens"], &body).await?;
            println!("{}", text(&made, "token"));
        }
        TokenCommand::List { reach } => {
            let rows = Client::of(reach, environment)?.get(&["tokens"]).await?;
            let columns = [
                ("id", "id"),
                ("name", "name"),
                ("class", "class"),
                ("user", "user_id"),
                ("scopes", "scopes"),
            ];
            print!("{}", table(&rows, &columns));
        }
        TokenCommand::Revoke { token, reach } => {
            let client = Client::of(reach, environment)?;
            let id = id_of(&client.get(&["tokens"]).await?, token)?;
            client.delete(&["tokens", &id]).await?;
            println!("revoked {id}");
        }
    }
    Ok(())
}

/// The id of the token that has this id, or this name and shares it with none.
fn id_of(rows: &Value, id_or_name: &str) -> Result<String, Failure> {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.iter().any(|row| row["id"] == id_or_name) {
        return Ok(id_or_name.to_owned());
    }
    let mut named = rows.iter().filter(|row| row["name"] == id_or_name);
    match (named.next(), named.next()) {
        (Some(row), None) => Ok(text(row, "id")),
        (None, _) => Err(Failure::Refused(format!(
            "no token has the id or name \"{id_or_name}\"; `token list` shows them"
        ))),
        (Some(_), Some(_)) => Err(Failure::Refused(format!(
            "several tokens are named \"{id_or_name}\"; give the id, which `token list` shows"
        ))),
    }
}

/// What was not given is not sent.
fn without_nulls(body: Value) -> Value {
    match body {
        Value::Object(members) => {
            Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// A member as a person reads it.
fn text(row: &Value, member: &str) -> String {
    match &row[member] {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A line a row, columns as wide as what stands in them.
fn table(rows: &Value, columns: &[Column]) -> String {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    let titles: Vec<String> = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
    let cells = rows.iter().map(|row| columns.iter().map(|(_, member)| text(row, member)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(titles).chain(cells).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut table = String::new();
    for line in &lines {
        let padded: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        table.push_str(padded.join("  ").trim_end());
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_rows() {
        let rows =
            json!([{ "id": "robbie", "at": null, "scopes": ["read", "drive"] }, { "id": "a", "at": "now" }]);
        let shown = table(&rows, &[("id", "id"), ("at", "at"), ("scopes", "scopes")]);
        assert_eq!(shown, "id      at   scopes\nrobbie  -    read,drive\na       now  -\n");
    }

    #[test]
    fn a_token_is_named_by_what_only_it_has() {
        let rows =
            json!([{ "id": "1", "name": "app" }, { "id": "2", "name": "app" }, { "id": "3", "name": "tv" }]);
        assert_eq!(id_of(&rows, "2").unwrap(), "2");
        assert_eq!(id_of(&rows, "tv").unwrap(), "3");
        assert!(id_of(&rows, "app").unwrap_err().to_string().contains("several"));
        assert!(id_of(&rows, "4").unwrap_err().to_string().contains("no token"));
    }
}
