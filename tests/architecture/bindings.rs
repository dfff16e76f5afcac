//! The bindings, variables and secrets that `src/app` and the objects' host read are exactly those
//! that wrangler.toml provides in every environment, secrets are listed for those who deploy, and
//! everything that wrangler.toml names exists.

use crate::sources::{File, files};
use std::collections::BTreeSet;
use toml::{Table, Value};

type Names = BTreeSet<String>;

/// Kinds of binding: the call by which the App reads one, and the table of wrangler.toml that
/// declares it.
const KINDS: [(&str, &str, &str); 7] = [
    ("kv", "kv_namespaces", "binding"),
    ("d1", "d1_databases", "binding"),
    ("durable_object", "durable_objects.bindings", "name"),
    ("queue", "queues.producers", "binding"),
    ("rate_limiter", "ratelimits", "name"),
    ("bucket", "r2_buckets", "binding"),
    ("get_binding", "images", "binding"),
];

/// Files that read the environment.
const ASKING: [&str; 5] = [
    "src/app/bindings.rs",
    "src/app/config.rs",
    "durable/src/host/board.rs",
    "durable/src/host/classes.rs",
    "durable/src/host/mod.rs",
];

/// Environments other than production, which is the top level.
const ENVIRONMENTS: [&str; 1] = ["staging"];

/// Maximum number of lines of wrangler.toml that a person edits.
const MAX_LINES: usize = 260;

#[test]
fn every_environment_gives_what_is_asked_for() {
    let asking = asking();
    for (environment, given) in environments(&wrangler()) {
        for (method, list, key) in KINDS {
            assert_eq!(
                given_names(&given, list, key),
                asked_names(&asking, method),
                "{list} of {environment}"
            );
        }
        let variables: Names = table_of(&given, "vars").keys().cloned().collect();
        assert_eq!(
            variables,
            asked_names(&asking, "var"),
            "vars of {environment}"
        );
    }
}

/// A deploy without a named environment goes to production, so nothing in it may belong to
/// development.
#[test]
fn production_is_the_default() {
    let text = |name: &str| match table_of(&wrangler(), "vars").get(name) {
        Some(Value::String(text)) => text.clone(),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(text("ENVIRONMENT"), "production");
    assert_eq!(text("STRIPE_API_BASE"), "https://api.stripe.com");
    assert_ne!(text("MAIL_PROVIDER"), "log");
    for name in ["MAIL_API_BASE", "TURNSTILE_API_BASE"] {
        assert_eq!(text(name), "", "{name}");
    }
    let staging = table_of(&table_of(&wrangler(), "env"), "staging");
    let staging = table_of(&staging, "vars");
    assert_eq!(staging.get("ENVIRONMENT"), Some(&"staging".into()));
}

#[test]
fn a_person_edits_few_lines_of_wrangler_toml() {
    let text = File::read("wrangler.toml").text;
    let edited = text
        .lines()
        .take_while(|line| *line != "# generated")
        .count();
    assert!(edited < text.lines().count());
    assert!(edited <= MAX_LINES, "{edited}");
}

#[test]
fn nothing_else_is_asked_for() {
    let known: Names = KINDS
        .iter()
        .map(|(method, ..)| *method)
        .chain(["var", "secret"])
        .map(str::to_owned)
        .collect();
    assert_eq!(methods_of_env(&asking()), known);
}

#[test]
fn no_other_file_asks_the_environment() {
    let asking: Vec<String> = files("src", "rs")
        .into_iter()
        .chain(files("durable/src", "rs"))
        .filter(|file| !ASKING.contains(&file.path.as_str()))
        .filter(|file| !methods_of_env(&file.tokens()).is_empty())
        .map(|file| file.path)
        .collect();
    assert!(asking.is_empty(), "{asking:?}");
}

#[test]
fn secrets_are_those_that_set_up_writes_and_deploying_asks_for() {
    let asked = asked_names(&File::read("src/app/config.rs").tokens(), "secret");
    assert!(!asked.is_empty());
    let deploy = File::read("tools/deploy.mjs").text;
    let app = File::read("src/app/config.rs").text;
    let after = app.split("const NEEDED_SECRETS: [&str; 5] = [").nth(1);
    let named = after.and_then(|rest| rest.split(']').next());
    let listed = |list: &str| {
        let after = deploy.split(&format!("const {list} = [")).nth(1);
        let listed = after.and_then(|rest| rest.split(']').next());
        quoted(listed.expect("the list of secrets"))
    };
    let (needed, optional) = (listed("SECRETS"), listed("OPTIONAL_SECRETS"));
    assert_eq!(quoted(named.expect("the list of secrets")), needed);
    let known: Names = needed.union(&optional).cloned().collect();
    assert_eq!(known, asked, "tools/deploy.mjs");
    let guide = File::read("docs/deploy.md").text;
    let page = File::read("docs/configure-secrets.md").text;
    let set_up = File::read("tools/setup.mjs").text;
    for name in &asked {
        assert!(
            guide.contains(&format!("| `{name}` |")),
            "{name} in docs/deploy.md"
        );
        assert!(
            page.contains(&format!("## `{name}`")),
            "{name} in docs/configure-secrets.md"
        );
    }
    for name in &needed {
        assert!(
            set_up.contains(&format!("{name}: ")),
            "{name} in tools/setup.mjs"
        );
    }
}

/// A zone's bot rules and rate limits don't protect workers.dev and preview addresses, so those are
/// off.
#[test]
fn what_is_deployed_is_reached_on_its_own_domain_alone() {
    for (environment, given) in environments(&wrangler()) {
        assert_eq!(faults_of_addresses(&given), names(&[]), "{environment}");
    }
}

#[test]
fn an_address_beside_the_domain_is_found() {
    let found = |text: &str| faults_of_addresses(&text.parse().unwrap());
    let own = "workers_dev = false\npreview_urls = false\n";
    let there = "[vars]\nSHOP_URL = \"https://a.test\"";
    let on = |pattern: &str| {
        format!("{own}routes = [{{ pattern = \"{pattern}\", custom_domain = true }}]\n{there}")
    };
    assert_eq!(found(&on("a.test")), names(&[]));
    assert_eq!(found(&on("b.test")), names(&["routes"]));
    assert_eq!(found(&format!("{own}{there}")), names(&["routes"]));
    assert_eq!(
        found(&on("a.test").replace("workers_dev = false", "workers_dev = true")),
        names(&["workers_dev"])
    );
    assert_eq!(
        found(&on("a.test").replace("preview_urls = false\n", "")),
        names(&["preview_urls"])
    );
    assert_eq!(
        found(&on("a.test").replace("custom_domain = true", "zone_name = \"test\"")),
        names(&["routes"])
    );
}

#[test]
fn every_object_class_is_written_and_migrated() {
    let wrangler = wrangler();
    let hosts = files("durable/src/host", "rs");
    let hosts: Vec<String> = hosts.iter().flat_map(File::tokens).collect();
    let written: Names = hosts
        .windows(6)
        .filter(|tokens| {
            tokens
                .first()
                .is_some_and(|token| token == "durable_object")
                && tokens.get(3).is_some_and(|token| token == "struct")
        })
        .filter_map(|tokens| tokens.get(4).cloned())
        .collect();
    let migrated: Names = list_of(&wrangler, "migrations")
        .iter()
        .flat_map(|step| words_of(step, "new_sqlite_classes"))
        .collect();
    assert_eq!(migrated, written);
    for (environment, given) in environments(&wrangler) {
        assert_eq!(
            given_names(&given, "durable_objects.bindings", "class_name"),
            written,
            "{environment}"
        );
    }
}

/// A namespace ID is one counter of the account: two limiters that share it count each other's
/// requests.
#[test]
fn no_two_limiters_share_a_counter_in_any_environment() {
    let wrangler = wrangler();
    let counters: Vec<Names> = environments(&wrangler)
        .iter()
        .map(|(_, given)| given_names(given, "ratelimits", "namespace_id"))
        .collect();
    let limiters = list_of(&wrangler, "ratelimits").len();
    assert!(counters.iter().all(|counters| counters.len() == limiters));
    let all: Names = counters.iter().flatten().cloned().collect();
    assert_eq!(all.len(), limiters.saturating_mul(counters.len()));
}

/// One limit applies to all invocations: a lower one would cut off the most expensive job, and a
/// higher one would make a loop costly.
#[test]
fn every_environment_limits_the_cpu_of_an_invocation() {
    for (environment, given) in environments(&wrangler()) {
        let limits = table_of(&given, "limits");
        let cpu_ms = limits.get("cpu_ms").and_then(Value::as_integer);
        assert!(
            cpu_ms.is_some_and(|millis| (10_000..=30_000).contains(&millis)),
            "{environment}"
        );
    }
}

/// The consumer recognizes a dead-letter queue by its name, and messages that nobody consumes are
/// lost.
#[test]
fn every_queue_ends_in_a_dead_letter_queue_that_is_consumed() {
    for (environment, given) in environments(&wrangler()) {
        let consumed = given_names(&given, "queues.consumers", "queue");
        let dead = given_names(&given, "queues.consumers", "dead_letter_queue");
        assert!(dead.is_subset(&consumed), "{environment}");
        let (ends, others): (Names, Names) = consumed
            .into_iter()
            .partition(|queue| queue.ends_with("-dead"));
        assert_eq!(ends, dead, "{environment}");
        assert_eq!(
            others,
            given_names(&given, "queues.producers", "queue"),
            "{environment}"
        );
        let kept_dead = list_of(&given, "queues.consumers")
            .iter()
            .filter(|consumer| consumer.get("dead_letter_queue").is_some())
            .count();
        assert_eq!(kept_dead, others.len(), "{environment}");
        for consumer in list_of(&given, "queues.consumers") {
            assert!(outlasts_an_outage(&consumer), "{environment}: {consumer}");
        }
    }
}

/// Returns true if a dead-letter consumer retries for longer than the database may be down, because
/// no queue follows it. Others pause by themselves.
fn outlasts_an_outage(consumer: &Table) -> bool {
    let number = |name: &str| consumer.get(name).and_then(Value::as_integer);
    let is_last = consumer.get("dead_letter_queue").is_none();
    let (retries, delay) = (number("max_retries"), number("retry_delay"));
    let secs = retries.unwrap_or(3).saturating_mul(delay.unwrap_or(0));
    !is_last || secs >= 10 * 60 * 60
}

#[test]
fn a_last_queue_that_gives_up_at_once_is_found() {
    let outlasts = |text: &str| outlasts_an_outage(&text.parse().unwrap());
    assert!(!outlasts("queue = \"a-dead\"\nmax_retries = 100"));
    assert!(!outlasts(
        "queue = \"a-dead\"\nmax_retries = 100\nretry_delay = 60"
    ));
    assert!(outlasts(
        "queue = \"a-dead\"\nmax_retries = 100\nretry_delay = 600"
    ));
    assert!(outlasts("queue = \"a\"\ndead_letter_queue = \"a-dead\""));
}

#[test]
fn a_difference_is_found() {
    let app = File::new("src/app/bindings.rs", r#"fn f(env: &Env) { env.kv("CATALOG"); env.queue("EVENTS"); let var = |name| env.var(name); var("SHOP_URL"); } // env.kv("OLD")"#).tokens();
    assert_eq!(asked_names(&app, "kv"), names(&["CATALOG"]));
    assert_eq!(asked_names(&app, "var"), names(&["SHOP_URL"]));
    assert_eq!(methods_of_env(&app), names(&["kv", "queue", "var"]));
    let given: Table = "vars = { A = 1 }\n[[kv_namespaces]]\nbinding = \"OTHER\"\n[[queues.producers]]\nbinding = \"EVENTS\"".parse().unwrap();
    assert_ne!(
        given_names(&given, "kv_namespaces", "binding"),
        asked_names(&app, "kv")
    );
    assert_eq!(
        given_names(&given, "queues.producers", "binding"),
        asked_names(&app, "queue")
    );
    assert_eq!(given_names(&given, "d1_databases", "binding"), names(&[]));
}

/// Returns the settings that make an environment reachable elsewhere than on the host of its
/// `SHOP_URL`.
fn faults_of_addresses(given: &Table) -> Names {
    let is_off = |name: &str| given.get(name).and_then(Value::as_bool) == Some(false);
    let shop_url = table_of(given, "vars");
    let shop_url = shop_url.get("SHOP_URL").and_then(Value::as_str);
    let own = |route: &Table| {
        let host = route.get("pattern").and_then(Value::as_str);
        let is_domain = route.get("custom_domain").and_then(Value::as_bool) == Some(true);
        is_domain && host.map(|host| format!("https://{host}")).as_deref() == shop_url
    };
    let routes = list_of(given, "routes");
    let mut faults: Names = ["workers_dev", "preview_urls"]
        .into_iter()
        .filter(|name| !is_off(name))
        .map(str::to_owned)
        .collect();
    if routes.is_empty() || !routes.iter().all(own) {
        faults.insert("routes".to_owned());
    }
    faults
}

fn asking() -> Vec<String> {
    ASKING
        .iter()
        .flat_map(|path| File::read(path).tokens())
        .collect()
}

fn wrangler() -> Table {
    File::read("wrangler.toml")
        .text
        .parse()
        .expect("wrangler.toml reads")
}

/// Returns production and the other environments, which inherit no bindings from it.
fn environments(wrangler: &Table) -> Vec<(&str, Table)> {
    let others = table_of(wrangler, "env");
    let described: Names = others.keys().cloned().collect();
    assert_eq!(described, names(&ENVIRONMENTS));
    let others = ENVIRONMENTS
        .iter()
        .map(|name| (*name, table_of(&others, name)));
    [("production", wrangler.clone())]
        .into_iter()
        .chain(others)
        .collect()
}

/// Returns the strings that `method` is called with.
fn asked_names(tokens: &[String], method: &str) -> Names {
    tokens
        .windows(3)
        .filter_map(|call| match call {
            [name, open, argument] if name == method && open == "(" => Some(argument),
            _ => None,
        })
        .flat_map(|argument| quoted(argument))
        .collect()
}

/// Returns the methods called on an `env`.
fn methods_of_env(tokens: &[String]) -> Names {
    tokens
        .windows(4)
        .filter_map(|call| match call {
            [env, dot, method, open] if env == "env" && dot == "." && open == "(" => {
                Some(method.clone())
            }
            _ => None,
        })
        .collect()
}

fn given_names(given: &Table, list: &str, key: &str) -> Names {
    list_of(given, list)
        .iter()
        .filter_map(|entry| entry.get(key)?.as_str().map(str::to_owned))
        .collect()
}

/// Returns the tables of a list such as `queues.producers`, or a single table such as `images`;
/// none if there is no such list.
fn list_of(given: &Table, path: &str) -> Vec<Table> {
    let (folder, name) = path
        .rsplit_once('.')
        .map_or((given.clone(), path), |(outer, name)| {
            (table_of(given, outer), name)
        });
    let entries = match folder.get(name) {
        Some(Value::Array(entries)) => entries.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    entries
        .into_iter()
        .filter_map(|entry| entry.as_table().cloned())
        .collect()
}

fn table_of(given: &Table, name: &str) -> Table {
    given
        .get(name)
        .and_then(Value::as_table)
        .cloned()
        .unwrap_or_default()
}

fn words_of(given: &Table, name: &str) -> Vec<String> {
    let words = given
        .get(name)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    words
        .iter()
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect()
}

/// Returns texts between double quotes.
fn quoted(text: &str) -> Names {
    text.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn names(list: &[&str]) -> Names {
    list.iter().map(|name| (*name).to_owned()).collect()
}
