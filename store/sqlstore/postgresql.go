package sqlstore

// clock_timestamp, and not now: a statement may have waited for a lock since it began,
// and must not bring back what has expired meanwhile. Where rows are looked for by their
// time, now is right, since it lets the planner use the index.
var postgreSQL = statements{
	schema: []string{
		`CREATE TABLE IF NOT EXISTS {sessions} (
	id bytea PRIMARY KEY,
	version bytea NOT NULL CHECK (length(version) = 16),
	data bytea NOT NULL,
	expires timestamptz NOT NULL
)`,
		`CREATE INDEX IF NOT EXISTS {sessions_index} ON {sessions} (expires)`,
		`CREATE TABLE IF NOT EXISTS {owners} (
	owner bytea NOT NULL,
	id bytea NOT NULL,
	ref bytea NOT NULL,
	indexed timestamptz NOT NULL,
	expires timestamptz NOT NULL,
	PRIMARY KEY (owner, id)
)`,
		`CREATE INDEX IF NOT EXISTS {owners_index} ON {owners} (expires)`,
	},

	find: `SELECT version, data, ` + postgreSQLLeft + `
FROM {sessions} WHERE id = $1 AND expires > clock_timestamp()`,

	// A record that has expired is as good as none.
	create: `WITH written AS (
	INSERT INTO {sessions} AS s (id, version, data, expires)
	VALUES ($1, $2, $3, clock_timestamp() + $4::bigint * interval '1 microsecond')
	ON CONFLICT (id) DO UPDATE
	SET version = excluded.version, data = excluded.data, expires = excluded.expires
	WHERE s.expires <= clock_timestamp()
	RETURNING 1
)` + postgreSQLOutcome,

	swap: `WITH written AS (
	UPDATE {sessions}
	SET version = $2, data = $3, expires = clock_timestamp() + $4::bigint * interval '1 microsecond'
	WHERE id = $1 AND version = $5 AND expires > clock_timestamp()
	RETURNING 1
)` + postgreSQLOutcome,

	touch: `UPDATE {sessions} SET expires = clock_timestamp() + $3::bigint * interval '1 microsecond'
WHERE id = $1 AND version = $2 AND expires > clock_timestamp()`,

	delete: `DELETE FROM {sessions} WHERE id = $1`,

	index: `INSERT INTO {owners} AS o (owner, id, ref, indexed, expires)
VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp() + $4::bigint * interval '1 microsecond')
ON CONFLICT (owner, id) DO UPDATE
SET ref = excluded.ref, indexed = excluded.indexed, expires = greatest(excluded.expires, o.expires)`,

	unindex: `DELETE FROM {owners} WHERE owner = $1 AND id = $2`,

	owned: `SELECT o.expires <= now() OR s.id IS NULL AND o.indexed <= now() - interval '1 minute',
	o.ref, o.id, s.version, s.data, coalesce((extract(epoch FROM s.expires - now()) * 1000000)::bigint, 0)
FROM {owners} o LEFT JOIN {sessions} s ON s.id = o.id AND s.expires > now()
WHERE o.owner = $1`,

	// Looks again at what Owned has found: an entry may have been indexed anew.
	forget: `DELETE FROM {owners} o
WHERE o.owner = $1 AND (o.expires <= now() OR o.indexed <= now() - interval '1 minute'
	AND NOT EXISTS (SELECT 1 FROM {sessions} s WHERE s.id = o.id AND s.expires > now()))`,

	cleanSessions: postgreSQLClean("{sessions}"),
	cleanOwners:   postgreSQLClean("{owners}"),
}

const postgreSQLLeft = `(extract(epoch FROM expires - clock_timestamp()) * 1000000)::bigint`

// The record is read as it was when the statement began. If another Swap was just
// committing it is the one from before, which the caller of the statement has to notice.
const postgreSQLOutcome = `
SELECT true, NULL::bytea, NULL::bytea, 0::bigint FROM written
UNION ALL
SELECT false, version, data, ` + postgreSQLLeft + `
FROM {sessions} WHERE id = $1 AND expires > clock_timestamp() AND NOT EXISTS (SELECT 1 FROM written)`

// postgreSQLClean returns the statement that removes a table's expired rows. Those that
// somebody is just creating anew are locked, and none of ours. They are collected in an
// array, which is made once: what is IN a query can be asked anew for each row, so that
// the limit is none.
func postgreSQLClean(table string) string {
	return `DELETE FROM ` + table + ` WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM ` + table + ` WHERE expires <= now() ORDER BY expires LIMIT $1 FOR UPDATE SKIP LOCKED
)) AND expires <= now()`
}
