package sqlstore

import (
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	"github.com/gosatchel/satchel/store"
)

var (
	_ store.Store   = (*Store)(nil)
	_ store.Indexer = (*Store)(nil)
)

// Dialect is whose SQL a database speaks.
type Dialect uint8

const (
	PostgreSQL Dialect = iota + 1 // 9.5 or newer
	SQLite                        // 3.42 or newer
)

// Options of a store. The zero value is ready for production.
type Options struct {
	// SessionsTable and OwnersTable name the two tables. A name is made of letters, digits and
	// underscores; in PostgreSQL it may be preceded by a schema and a dot. Default
	// "satchel_sessions" and "satchel_owners".
	SessionsTable, OwnersTable string
}

// Store is a [store.Store] and a [store.Indexer] in a database. It is safe for
// concurrent use, and any number of processes may share the tables. Create it with
// [New].
type Store struct {
	db  *sql.DB
	sql statements
}

// New returns a store over db, which remains the app's to configure and to close. It
// panics if db is nil, or the dialect or a name is invalid.
//
// database/sql bounds no connections by itself, and keeps two idle ones: set
// db.SetMaxOpenConns, or an outage can use up those of the server, and
// db.SetMaxIdleConns to as many as there are usual calls at once.
//
// New doesn't connect; see [Store.Ping]. The tables have to be there before the first
// request; see [Store.CreateTables]. Expired rows stay until [Store.CleanUp] removes
// them.
func New(db *sql.DB, d Dialect, o Options) *Store {
	if db == nil {
		panic("sqlstore: New needs a database")
	}
	if o.SessionsTable == "" {
		o.SessionsTable = "satchel_sessions"
	}
	if o.OwnersTable == "" {
		o.OwnersTable = "satchel_owners"
	}
	var text statements
	var names *regexp.Regexp
	switch d {
	case PostgreSQL:
		text, names = postgreSQL, qualifiedName
	case SQLite:
		text, names = sqLite, plainName
	default:
		panic(fmt.Sprintf("sqlstore: New knows no dialect %d; use PostgreSQL or SQLite", d))
	}
	for _, name := range []string{o.SessionsTable, o.OwnersTable} {
		if !names.MatchString(name) {
			panic(fmt.Sprintf("sqlstore: %q can't be a table's name here; use letters, digits and underscores", name))
		}
	}
	if strings.EqualFold(o.SessionsTable, o.OwnersTable) {
		panic("sqlstore: Options.SessionsTable and Options.OwnersTable must be two tables")
	}
	return &Store{db: db, sql: text.forTables(o)}
}

// Names are part of the statements, unquoted, and so must be nothing but names.
var (
	plainName     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,40}$`)
	qualifiedName = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]{0,40}\.)?[A-Za-z_][A-Za-z0-9_]{0,40}$`)
)
