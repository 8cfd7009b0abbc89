module github.com/gosatchel/satchel/store/sqlstore

go 1.25.0

require github.com/gosatchel/satchel v0.0.0

require github.com/alexedwards/scs/v2 v2.9.0 // indirect

replace github.com/gosatchel/satchel => ../..
