package sqlstore

import "strings"

// statements is all SQL of a dialect. Parameters are numbered in the order of the
// comments. Times to live are in microseconds, and so is what is left of them.
type statements struct {
	schema []string

	find   string // id; returns version, data, what is left
	create string // id, version, data, ttl; returns as swap does
	swap   string // id, version, data, ttl, expected version
	touch  string // id, version, ttl
	delete string // id

	// What create and swap return is one row of four columns: whether they wrote; and
	// if not, the live record: version, data, what is left. It is no row if there is
	// none. With readConflict they return no row either if there is one.
	readConflict bool

	index   string // owner, id, ref, ttl
	unindex string // owner, id
	owned   string // owner; returns whether it is dead, ref, id, version, data, what is left
	forget  string // owner; removes the dead

	// Both remove at most as many as the parameter says.
	cleanSessions, cleanOwners string
}

// forTables returns the statements with the tables' names filled in.
func (s statements) forTables(o Options) statements {
	names := strings.NewReplacer(
		"{sessions}", o.SessionsTable,
		"{owners}", o.OwnersTable,
		// An index is named without its table's schema.
		"{sessions_index}", o.SessionsTable[strings.LastIndex(o.SessionsTable, ".")+1:]+"_expires",
		"{owners_index}", o.OwnersTable[strings.LastIndex(o.OwnersTable, ".")+1:]+"_expires",
	)
	schema := make([]string, len(s.schema))
	for i, statement := range s.schema {
		schema[i] = names.Replace(statement)
	}
	s.schema = schema
	for _, text := range []*string{
		&s.find, &s.create, &s.swap, &s.touch, &s.delete,
		&s.index, &s.unindex, &s.owned, &s.forget, &s.cleanSessions, &s.cleanOwners,
	} {
		*text = names.Replace(*text)
	}
	return s
}
