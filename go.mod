module github.com/gosatchel/satchel

go 1.25.0

require (
	github.com/FZambia/sentinel/v2 v2.0.1
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/gomodule/redigo v1.9.3
	github.com/mna/redisc v1.4.0
	golang.org/x/crypto v0.50.0
)
