-- Every question that lockdoctor asks its history, and everything that it tells it.

-- name: count_tables
-- Does the database hold anything?
SELECT count(*) FROM sqlite_master;

-- name: schema
-- Which tables and indexes does the database have, and how were they made?
SELECT type, name, sql FROM sqlite_master;

-- name: begin_asking
-- Have a place for what is asked about: a database of its own, whose memory is free afterwards.
ATTACH DATABASE ':memory:' AS asked;

-- name: end_asking
-- Give it up.
DETACH DATABASE asked;

-- name: make_asked_holds
-- The holds that are asked about, each with its place among them.
CREATE TABLE asked.asked_hold (
    place INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    create_revision INTEGER NOT NULL
);

-- name: make_asked_leases
-- The leases that are asked about, each with its place among them.
CREATE TABLE asked.asked_lease (lease_id INTEGER PRIMARY KEY, place INTEGER NOT NULL);

-- name: ask_of_hold
-- Ask about this hold, too.
INSERT INTO asked_hold (place, key, create_revision) VALUES (?, ?, ?);

-- name: ask_nothing_of_leases
-- Forget which leases the last question was about.
DELETE FROM asked_lease;

-- name: ask_of_lease
-- Ask about this lease, too.
INSERT OR IGNORE INTO asked_lease (place, lease_id) VALUES (?, ?);


-- Clocks and runs

-- name: clocks
-- On which clocks do the moments of the file stand?
SELECT id, boot_id, offset_s FROM clock ORDER BY id DESC;

-- name: add_clock
-- Store the clock of this run.
INSERT INTO clock (boot_id, offset_s) VALUES (:boot_id, :offset_s);

-- name: runs_stored_since
-- Which runs were stored after the one on a clock that wrote a moment?
SELECT clock_id, ended_at
FROM run
WHERE id > coalesce(
    (SELECT min(id) FROM run WHERE clock_id = :clock_id AND ended_at >= :at), 0
)
ORDER BY id;

-- name: last_ends_before_clock
-- When, on each clock, did the last run end of those stored before the first one of a clock?
SELECT clock_id, max(ended_at) AS ended_at
FROM run
WHERE id < (SELECT min(id) FROM run WHERE clock_id = :clock_id)
GROUP BY clock_id;

-- name: last_run_of_cluster
-- What did the last run against a cluster see, and to which lineage does it belong?
SELECT lineage_id, revision, raft_term, clock_id, ended_at
FROM run
WHERE lineage_id = (SELECT max(id) FROM lineage WHERE cluster_id = :cluster_id)
ORDER BY id DESC
LIMIT 1;

-- name: add_lineage
-- Begin anew with a cluster.
INSERT INTO lineage (cluster_id) VALUES (:cluster_id);

-- name: runs_over_prefixes
-- Which runs over the same prefixes were there, the last one first?
SELECT id, clock_id, ended_at, judged_by
FROM run
WHERE lineage_id = :lineage_id AND prefixes = :prefixes
ORDER BY id DESC;

-- name: run_back
-- Which run over the same prefixes was so many runs ago?
SELECT id, first_revision
FROM run
WHERE lineage_id = :lineage_id AND prefixes = :prefixes
ORDER BY id DESC
LIMIT 1 OFFSET :back;

-- name: last_judged_run
-- Which was the last run over the same prefixes that was judged by the same limits?
SELECT id
FROM run
WHERE lineage_id = :lineage_id AND prefixes = :prefixes AND judged_by = :judged_by
ORDER BY id DESC
LIMIT 1;

-- name: add_run
-- Store a run.
INSERT INTO run (
    lineage_id, command, prefixes, clock_id, started_at, ended_at, first_revision, revision,
    raft_term, severity, holds, findings, sessions, judged_by
) VALUES (
    :lineage_id, :command, :prefixes, :clock_id, :started_at, :ended_at, :first_revision, :revision,
    :raft_term, :severity, :holds, :findings, :sessions, :judged_by
);


-- The revision clock and the raft terms

-- name: put_mark
-- Store an answer that told the revision; of those that told the same, keep first and last.
INSERT INTO mark (
    lineage_id, revision, first_clock_id, first_asked_at, first_answered_at,
    last_clock_id, last_asked_at, last_answered_at, last_run_id
) VALUES (
    :lineage_id, :revision, :clock_id, :asked_at, :answered_at,
    :clock_id, :asked_at, :answered_at, :run_id
)
ON CONFLICT (lineage_id, revision) DO UPDATE SET
    last_clock_id = excluded.last_clock_id,
    last_asked_at = excluded.last_asked_at,
    last_answered_at = excluded.last_answered_at,
    last_run_id = excluded.last_run_id;

-- name: marks
-- Between which revisions of the clock do the creations of the holds asked about lie?
SELECT
    revision, first_clock_id, first_asked_at, first_answered_at,
    last_clock_id, last_asked_at, last_answered_at
FROM mark
WHERE lineage_id = :lineage_id AND revision IN (
    SELECT (
        SELECT max(revision) FROM mark
        WHERE lineage_id = :lineage_id AND revision < asked_hold.create_revision
    ) FROM asked_hold
    UNION
    SELECT (
        SELECT min(revision) FROM mark
        WHERE lineage_id = :lineage_id AND revision >= asked_hold.create_revision
    ) FROM asked_hold
)
ORDER BY revision;

-- name: put_probe
-- Store the last answer that named a raft term and its leader.
INSERT INTO probe (lineage_id, raft_term, leader_id, clock_id, asked_at, last_run_id)
VALUES (:lineage_id, :raft_term, :leader_id, :clock_id, :asked_at, :run_id)
ON CONFLICT (lineage_id, raft_term, leader_id) DO UPDATE SET
    clock_id = excluded.clock_id,
    asked_at = excluded.asked_at,
    last_run_id = excluded.last_run_id;

-- name: probes
-- Which raft terms and leaders were there, and when was each last named?
SELECT raft_term, leader_id, clock_id, asked_at
FROM probe
WHERE lineage_id = :lineage_id
ORDER BY raft_term;


-- Holds

-- name: put_hold
-- Store a sight of a hold: when it was first and last seen, and first seen as holder.
INSERT INTO hold (
    lineage_id, key, create_revision, lease_id, recipe, lock_name, first_clock_id,
    first_answered_at, last_clock_id, last_asked_at, held_clock_id, held_first_answered_at,
    runs, last_run_id
) VALUES (
    :lineage_id, :key, :create_revision, :lease_id, :recipe, :lock_name, :clock_id,
    :first_answered_at, :clock_id, :last_asked_at, :held_clock_id, :held_first_answered_at,
    1, :run_id
)
ON CONFLICT (lineage_id, key, create_revision) DO UPDATE SET
    lease_id = excluded.lease_id,
    recipe = excluded.recipe,
    lock_name = excluded.lock_name,
    last_clock_id = excluded.last_clock_id,
    last_asked_at = excluded.last_asked_at,
    held_first_answered_at = coalesce(held_first_answered_at, excluded.held_first_answered_at),
    held_clock_id = coalesce(held_clock_id, excluded.held_clock_id),
    runs = runs + 1,
    last_run_id = excluded.last_run_id;

-- name: holds
-- When were the holds asked about seen?
SELECT
    place, first_clock_id, first_answered_at,
    last_clock_id, last_asked_at, held_clock_id, held_first_answered_at
FROM asked_hold
JOIN hold
    ON hold.lineage_id = :lineage_id
    AND hold.key = asked_hold.key
    AND hold.create_revision = asked_hold.create_revision;

-- name: witnesses
-- Of the holds asked about that stood at a revision already: how many, and how many are stored?
SELECT count(*) AS standing, count(hold.key) AS known
FROM asked_hold
LEFT JOIN hold
    ON hold.lineage_id = :lineage_id
    AND hold.key = asked_hold.key
    AND hold.create_revision = asked_hold.create_revision
WHERE asked_hold.create_revision <= :first_revision;

-- name: sweep_holds
-- Forget the holds that one run saw and no run after it.
DELETE FROM hold WHERE last_run_id = :run_id AND runs = 1;


-- Readings of leases

-- name: last_stretches
-- How do the stored readings of the leases asked about end?
SELECT
    stretch.lease_id, number, granted_ttl_s, raft_term, first_remaining_ttl_s,
    last_clock_id, last_answered_at
FROM asked_lease
JOIN stretch
    ON stretch.lineage_id = :lineage_id
    AND stretch.lease_id = asked_lease.lease_id
    AND number = (
        SELECT max(number) FROM stretch
        WHERE lineage_id = :lineage_id AND lease_id = asked_lease.lease_id
    );

-- name: stretches
-- What was read of the leases asked about, in order?
SELECT
    place, granted_ttl_s, raft_term,
    first_clock_id, first_asked_at, first_answered_at, first_remaining_ttl_s,
    last_clock_id, last_asked_at, last_answered_at, last_remaining_ttl_s, readings
FROM asked_lease
JOIN stretch
    ON stretch.lineage_id = :lineage_id AND stretch.lease_id = asked_lease.lease_id
ORDER BY stretch.lease_id, number;

-- name: add_stretch
-- Store readings that begin a new stretch.
INSERT INTO stretch (
    lineage_id, lease_id, number, granted_ttl_s, raft_term,
    first_clock_id, first_asked_at, first_answered_at, first_remaining_ttl_s,
    last_clock_id, last_asked_at, last_answered_at, last_remaining_ttl_s, readings, last_run_id
) VALUES (
    :lineage_id, :lease_id, :number, :granted_ttl_s, :raft_term,
    :clock_id, :first_asked_at, :first_answered_at, :first_remaining_ttl_s,
    :clock_id, :last_asked_at, :last_answered_at, :last_remaining_ttl_s, :readings, :run_id
);

-- name: extend_stretch
-- Fold readings that prove nothing more into the last one of a stretch.
UPDATE stretch SET
    last_clock_id = :clock_id,
    last_asked_at = :last_asked_at,
    last_answered_at = :last_answered_at,
    last_remaining_ttl_s = :last_remaining_ttl_s,
    readings = readings + :readings,
    last_run_id = :run_id
WHERE lineage_id = :lineage_id AND lease_id = :lease_id AND number = :number;

-- name: drop_stretches
-- Forget the oldest stretches of a lease.
DELETE FROM stretch
WHERE lineage_id = :lineage_id AND lease_id = :lease_id AND number <= :number;

-- name: sweep_stretches
-- Forget the leases that were read once, in one run, and in no run after it.
DELETE FROM stretch WHERE last_run_id = :run_id AND readings = 1 AND granted_ttl_s > 0;

-- name: put_keyless
-- Store that a lease has no keys; since when counts from the first look that found none.
INSERT INTO keyless (lineage_id, lease_id, since_clock_id, since_at, last_run_id)
VALUES (:lineage_id, :lease_id, :clock_id, :since_at, :run_id)
ON CONFLICT (lineage_id, lease_id) DO UPDATE SET last_run_id = excluded.last_run_id;

-- name: drop_keyless
-- Forget since when a lease had no keys: it has some, or is gone.
DELETE FROM keyless WHERE lineage_id = :lineage_id AND lease_id = :lease_id;

-- name: keyless
-- Since when did no look at the leases asked about find keys?
SELECT keyless.lease_id, since_clock_id, since_at
FROM asked_lease
JOIN keyless
    ON keyless.lineage_id = :lineage_id AND keyless.lease_id = asked_lease.lease_id;

-- name: drop_keyless_in_use
-- Forget since when leases had no keys that a run listed and did not see without keys.
DELETE FROM keyless
WHERE lineage_id = :lineage_id AND last_run_id <> :run_id
    AND lease_id IN (SELECT lease_id FROM asked_lease);


-- Lists of leases

-- name: last_listing
-- When did the last run begin that added to the list of leases?
SELECT clock_id, started_at
FROM run
WHERE lineage_id = :lineage_id AND ended_sessions IS NOT NULL
ORDER BY id DESC
LIMIT 1;

-- name: listings
-- Which were the last runs that added to the list of leases, the last one first?
SELECT id, prefixes, judged_by, clock_id, ended_at, ended_sessions
FROM run
WHERE lineage_id = :lineage_id AND ended_sessions IS NOT NULL
ORDER BY id DESC
LIMIT :runs;

-- name: first_listed
-- Which of the leases asked about were first listed after a certain run, and by which run?
-- The join begins with listed_lease: few are so new.
SELECT asked_lease.lease_id, first_run_id
FROM listed_lease
CROSS JOIN asked_lease ON asked_lease.lease_id = listed_lease.lease_id
WHERE lineage_id = :lineage_id AND first_run_id > :run_id;

-- name: never_listed
-- Which of the leases asked about did no run list?
SELECT asked_lease.lease_id
FROM asked_lease
LEFT JOIN listed_lease
    ON listed_lease.lineage_id = :lineage_id AND listed_lease.lease_id = asked_lease.lease_id
WHERE listed_lease.lease_id IS NULL;

-- name: count_ended_sessions
-- How many sessions that earlier runs listed are not among the leases asked about?
SELECT count(*) AS ended
FROM listed_lease
WHERE lineage_id = :lineage_id AND was_session
    AND lease_id NOT IN (SELECT lease_id FROM asked_lease);

-- name: drop_unlisted
-- Forget the leases that are not listed any more.
DELETE FROM listed_lease
WHERE lineage_id = :lineage_id AND lease_id NOT IN (SELECT lease_id FROM asked_lease);

-- name: add_listed
-- Store the leases that are listed for the first time.
INSERT OR IGNORE INTO listed_lease (lineage_id, lease_id, first_run_id)
SELECT :lineage_id, lease_id, :run_id FROM asked_lease;

-- name: mark_session
-- A lease was seen renewed and without keys.
UPDATE listed_lease SET was_session = 1
WHERE lineage_id = :lineage_id AND lease_id = :lease_id AND NOT was_session;

-- name: set_ended_sessions
-- Store how many sessions a run was the first to miss.
UPDATE run SET ended_sessions = :ended WHERE id = :run_id;


-- Findings

-- name: repeat_finding
-- A finding on a lock of the last run that was judged by the same limits stands again.
UPDATE finding SET runs = runs + 1, last_run_id = :run_id
WHERE last_run_id = :before_id
    AND kind = :kind AND recipe IS :recipe AND lock_name IS :lock_name
    AND key IS :key AND create_revision IS :create_revision;

-- name: session_findings
-- What did a run find of leases without keys?
SELECT id, leases FROM finding
WHERE last_run_id = :before_id AND kind = :kind AND recipe IS NULL
ORDER BY id;

-- name: repeat_session_finding
-- A finding of leases without keys stands again, perhaps of others besides.
UPDATE finding SET runs = runs + 1, last_run_id = :run_id, leases = :leases WHERE id = :id;

-- name: add_finding
-- A finding is new.
INSERT INTO finding (
    lineage_id, kind, recipe, lock_name, key, create_revision, leases,
    since_clock_id, since_at, runs, last_run_id
) VALUES (
    :lineage_id, :kind, :recipe, :lock_name, :key, :create_revision, :leases,
    :clock_id, :since_at, 1, :run_id
);

-- name: findings_of_run
-- What did a run find, since when, and in how many runs in a row?
SELECT kind, recipe, lock_name, key, create_revision, leases, since_clock_id, since_at, runs
FROM finding
WHERE last_run_id = :run_id
ORDER BY id;


-- Retention

-- name: ends_of_runs
-- When did each run end, the last one first, and on which boot?
SELECT run.id, ended_at - offset_s AS steady_at, ended_at, boot_id
FROM run JOIN clock ON clock.id = run.clock_id
ORDER BY run.id DESC;

-- name: forget_old_runs
-- Forget a few of the runs up to one, the oldest first, and what they were the last to see.
DELETE FROM run WHERE id IN (SELECT id FROM run WHERE id <= :run_id ORDER BY id LIMIT :runs);

-- name: forget_first_runs
-- Forget a few of the oldest runs, whatever their age, but never the last one.
DELETE FROM run WHERE id IN (
    SELECT id FROM run WHERE id < (SELECT max(id) FROM run) ORDER BY id LIMIT :runs
);

-- name: count_runs
-- How many runs are stored?
SELECT count(*) FROM run;

-- name: forget_lineages
-- Forget lineages of which nothing is left.
DELETE FROM lineage WHERE NOT EXISTS (SELECT 1 FROM run WHERE run.lineage_id = lineage.id);


-- Listings

-- name: all_runs
-- Which runs are stored, the last one first?
SELECT run.*, lineage.cluster_id
FROM run JOIN lineage ON lineage.id = run.lineage_id
ORDER BY run.id DESC;

-- name: stretches_of_lease
-- What was read of one lease, in whatever cluster?
SELECT stretch.*, lineage.cluster_id
FROM stretch JOIN lineage ON lineage.id = stretch.lineage_id
WHERE lease_id = :lease_id
ORDER BY lineage_id, number;

-- name: all_stretches
-- What was read of all leases?
SELECT stretch.*, lineage.cluster_id
FROM stretch JOIN lineage ON lineage.id = stretch.lineage_id
ORDER BY lineage_id, lease_id, number;

-- name: holds_of_lock
-- Who contended for one lock?
SELECT hold.*, lineage.cluster_id
FROM hold JOIN lineage ON lineage.id = hold.lineage_id
WHERE lock_name = :lock_name
ORDER BY lineage_id, create_revision;

-- name: holds_of_key
-- Who contended under one key?
SELECT hold.*, lineage.cluster_id
FROM hold JOIN lineage ON lineage.id = hold.lineage_id
WHERE key = :key
ORDER BY lineage_id, create_revision;

-- name: holds_of_lease
-- For which locks did one lease contend?
SELECT hold.*, lineage.cluster_id
FROM hold JOIN lineage ON lineage.id = hold.lineage_id
WHERE lease_id = :lease_id
ORDER BY lineage_id, create_revision;

-- name: all_holds
-- Who contended for any lock?
SELECT hold.*, lineage.cluster_id
FROM hold JOIN lineage ON lineage.id = hold.lineage_id
ORDER BY lineage_id, key, create_revision;

-- name: findings_of_lock
-- What was found of one lock?
SELECT finding.*, lineage.cluster_id, run.clock_id, run.ended_at
FROM finding
JOIN run ON run.id = finding.last_run_id
JOIN lineage ON lineage.id = finding.lineage_id
WHERE lock_name = :lock_name
ORDER BY finding.id;

-- name: all_findings
-- What was found at all?
SELECT finding.*, lineage.cluster_id, run.clock_id, run.ended_at
FROM finding
JOIN run ON run.id = finding.last_run_id
JOIN lineage ON lineage.id = finding.lineage_id
ORDER BY finding.id;
