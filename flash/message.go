package flash

import "context"

// Level says what kind of message it is. These four have functions of their own;
// any other string is fine too.
type Level string

const (
	LevelInfo    Level = "info"
	LevelSuccess Level = "success"
	LevelWarning Level = "warning"
	LevelError   Level = "error"
)

// Message is something to tell the visitor, once. Text is plain text: templates
// escape it.
type Message struct {
	Level Level  `json:"level"`
	Text  string `json:"text"`
}

// Role is the WAI-ARIA role of the element that shows m: "alert" for an error,
// which screen readers announce at once, otherwise "status".
func (m Message) Role() string {
	if m.Level == LevelError {
		return "alert"
	}
	return "status"
}

var messages = NewBag[Message]("messages")

// Info tells the visitor text on the next page. See [Bag.Add].
func Info(ctx context.Context, text string) { Add(ctx, Message{LevelInfo, text}) }

// Success tells the visitor on the next page that something worked.
func Success(ctx context.Context, text string) { Add(ctx, Message{LevelSuccess, text}) }

// Warning tells the visitor on the next page to be careful.
func Warning(ctx context.Context, text string) { Add(ctx, Message{LevelWarning, text}) }

// Error tells the visitor on the next page that something did not work.
func Error(ctx context.Context, text string) { Add(ctx, Message{LevelError, text}) }

// Add keeps m for the next page that takes the messages.
func Add(ctx context.Context, m Message) { messages.Add(ctx, m) }

// Now shows m in this response only. See [Bag.Now].
func Now(ctx context.Context, m Message) { messages.Now(ctx, m) }

// Take returns the messages that wait, the oldest first, and removes them. Each
// is handed out once, also to parallel requests. See [Bag.Take] for what it
// costs, and for when they go back.
func Take(ctx context.Context) []Message { return messages.Take(ctx) }

// Keep puts the messages that this request has taken back for the next page. See
// [Bag.Keep]. A redirect does not need it: what it took goes back by itself.
func Keep(ctx context.Context) { messages.Keep(ctx) }

// Peek returns the messages that wait and leaves them there. It costs nothing.
func Peek(ctx context.Context) []Message { return messages.Peek(ctx) }
