module github.com/gosatchel/satchel

go 1.25.0

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/gomodule/redigo v1.9.3
	golang.org/x/crypto v0.50.0
)
