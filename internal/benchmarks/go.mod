module github.com/gosatchel/satchel/internal/benchmarks

go 1.25.0

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/gomodule/redigo v1.9.3
	github.com/gosatchel/satchel v0.0.0
)

require (
	github.com/FZambia/sentinel/v2 v2.0.1 // indirect
	github.com/mna/redisc v1.4.0 // indirect
)

replace github.com/gosatchel/satchel => ../..
