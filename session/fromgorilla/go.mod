module github.com/gosatchel/satchel/session/fromgorilla

go 1.25.0

require (
	github.com/gorilla/securecookie v1.1.2
	github.com/gorilla/sessions v1.4.0
	github.com/gosatchel/satchel v0.0.0
)

require github.com/alexedwards/scs/v2 v2.9.0 // indirect

replace github.com/gosatchel/satchel => ../..
