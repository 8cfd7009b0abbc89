package sqlstore

// Times are microseconds since 1970, of which SQLite knows the thousands. Columns are
// compared with bytes, which SQLite takes for different from the same text.
var sqLite = statements{
	schema: []string{
		`CREATE TABLE IF NOT EXISTS {sessions} (
	id BLOB NOT NULL PRIMARY KEY,
	version BLOB NOT NULL CHECK (length(version) = 16),
	data BLOB NOT NULL,
	expires INTEGER NOT NULL
)`,
		`CREATE INDEX IF NOT EXISTS {sessions_index} ON {sessions} (expires)`,
		`CREATE TABLE IF NOT EXISTS {owners} (
	owner BLOB NOT NULL,
	id BLOB NOT NULL,
	ref BLOB NOT NULL,
	indexed INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	PRIMARY KEY (owner, id)
) WITHOUT ROWID`,
		`CREATE INDEX IF NOT EXISTS {owners_index} ON {owners} (expires)`,
	},

	find: `SELECT version, data, expires - ` + sqLiteNow + `
FROM {sessions} WHERE id = ?1 AND expires > ` + sqLiteNow,

	// A record that has expired is as good as none.
	create: `INSERT INTO {sessions} (id, version, data, expires)
VALUES (?1, ?2, ?3, ` + sqLiteNow + ` + ?4)
ON CONFLICT (id) DO UPDATE
SET version = excluded.version, data = excluded.data, expires = excluded.expires
WHERE {sessions}.expires <= ` + sqLiteNow + `
RETURNING 1, NULL, NULL, 0`,

	swap: `UPDATE {sessions} SET version = ?2, data = ?3, expires = ` + sqLiteNow + ` + ?4
WHERE id = ?1 AND version = ?5 AND expires > ` + sqLiteNow + `
RETURNING 1, NULL, NULL, 0`,

	readConflict: true,

	touch: `UPDATE {sessions} SET expires = ` + sqLiteNow + ` + ?3
WHERE id = ?1 AND version = ?2 AND expires > ` + sqLiteNow,

	delete: `DELETE FROM {sessions} WHERE id = ?1`,

	index: `INSERT INTO {owners} (owner, id, ref, indexed, expires)
VALUES (?1, ?2, ?3, ` + sqLiteNow + `, ` + sqLiteNow + ` + ?4)
ON CONFLICT (owner, id) DO UPDATE
SET ref = excluded.ref, indexed = excluded.indexed, expires = max(excluded.expires, {owners}.expires)`,

	unindex: `DELETE FROM {owners} WHERE owner = ?1 AND id = ?2`,

	owned: `SELECT o.expires <= ` + sqLiteNow + ` OR s.id IS NULL AND o.indexed <= ` + sqLiteNow + ` - 60000000,
	o.ref, o.id, s.version, s.data, coalesce(s.expires - ` + sqLiteNow + `, 0)
FROM {owners} o LEFT JOIN {sessions} s ON s.id = o.id AND s.expires > ` + sqLiteNow + `
WHERE o.owner = ?1`,

	// Looks again at what Owned has found: an entry may have been indexed anew.
	forget: `DELETE FROM {owners}
WHERE owner = ?1 AND (expires <= ` + sqLiteNow + ` OR indexed <= ` + sqLiteNow + ` - 60000000
	AND NOT EXISTS (SELECT 1 FROM {sessions} s WHERE s.id = {owners}.id AND s.expires > ` + sqLiteNow + `))`,

	cleanSessions: `DELETE FROM {sessions} WHERE id IN (
	SELECT id FROM {sessions} WHERE expires <= ` + sqLiteNow + ` ORDER BY expires LIMIT ?1
)`,

	cleanOwners: `DELETE FROM {owners} WHERE (owner, id) IN (
	SELECT owner, id FROM {owners} WHERE expires <= ` + sqLiteNow + ` ORDER BY expires LIMIT ?1
)`,
}

const sqLiteNow = `CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000`
