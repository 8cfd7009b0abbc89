module github.com/gosatchel/satchel/internal/movingtest

go 1.26.0

require (
	github.com/alexedwards/scs/redisstore v0.0.0-20251002162104-209de6e426de
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/boj/redistore v1.4.1
	github.com/gomodule/redigo v1.9.3
	github.com/gorilla/sessions v1.4.0
	github.com/gosatchel/satchel v0.0.0
	github.com/gosatchel/satchel/session/fromgorilla v0.0.0
)

require (
	github.com/FZambia/sentinel/v2 v2.0.1 // indirect
	github.com/gorilla/securecookie v1.1.2 // indirect
	github.com/mna/redisc v1.4.0 // indirect
)

replace (
	github.com/gosatchel/satchel => ../..
	github.com/gosatchel/satchel/session/fromgorilla => ../../session/fromgorilla
)
