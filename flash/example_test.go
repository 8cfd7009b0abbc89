package flash_test

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"os"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/memstore"
)

// visit runs steps as the requests of one visitor.
func visit(steps ...func(ctx context.Context)) {
	sessions := session.New(memstore.New(), session.Options{})
	token := ""
	for _, step := range steps {
		var err error
		if token, err = sessions.Do(context.Background(), token, func(ctx context.Context) error {
			step(ctx)
			return nil
		}); err != nil {
			fmt.Println(err)
		}
	}
}

// A message is shown once, on the next page that takes it.
func Example() {
	visit(
		func(ctx context.Context) { flash.Success(ctx, "Saved.") },
		func(ctx context.Context) { fmt.Println(flash.Take(ctx)) },
		func(ctx context.Context) { fmt.Println(flash.Take(ctx)) },
	)
	// Output:
	// [{success Saved.}]
	// []
}

// Messages in a template: screen readers announce errors at once, and the text
// is escaped.
func ExampleMessage_Role() {
	page := template.Must(template.New("").Parse(
		`{{range .}}<p role="{{.Role}}" class="{{.Level}}">{{.Text}}</p>{{end}}
`))
	visit(
		func(ctx context.Context) { flash.Error(ctx, "<b>That</b> is taken.") },
		func(ctx context.Context) {
			if err := page.Execute(os.Stdout, flash.Take(ctx)); err != nil {
				fmt.Println(err)
			}
		},
	)
	// Output:
	// <p role="alert" class="error">&lt;b&gt;That&lt;/b&gt; is taken.</p>
}

// Anything can be carried to the next page, such as the receipt of an order.
func ExampleBag() {
	type Receipt struct {
		Number int
		Total  string
	}
	var receipts = flash.NewBag[Receipt]("example-receipts")
	visit(
		func(ctx context.Context) { receipts.Add(ctx, Receipt{7, "12.90"}) },
		func(ctx context.Context) { fmt.Println(receipts.Take(ctx)) },
	)
	// Output:
	// [{7 12.90}]
}

// Now shows a message on this page, without a redirect.
func ExampleNow() {
	search := func(w http.ResponseWriter, r *http.Request) {
		flash.Now(r.Context(), flash.Message{Level: flash.LevelInfo, Text: "Nothing was found."})
		fmt.Fprintln(w, flash.Take(r.Context()))
	}
	http.HandleFunc("GET /search", search)
}

// A page that is not the last one to show a message keeps it.
func ExampleKeep() {
	visit(
		func(ctx context.Context) { flash.Info(ctx, "The shop closes at six.") },
		func(ctx context.Context) { fmt.Println(flash.Take(ctx)); flash.Keep(ctx) },
		func(ctx context.Context) { fmt.Println(flash.Take(ctx)) },
		func(ctx context.Context) { fmt.Println(flash.Take(ctx)) },
	)
	// Output:
	// [{info The shop closes at six.}]
	// [{info The shop closes at six.}]
	// []
}
