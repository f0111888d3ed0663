package siotypes

import (
	"io"
	"strings"
)

// Info heads an AsyncAPI document.
type Info struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description,omitempty"`
}

type asyncDocument struct {
	AsyncAPI    string                    `json:"asyncapi"`
	Info        Info                      `json:"info"`
	ContentType string                    `json:"defaultContentType"`
	Channels    map[string]asyncChannel   `json:"channels"`
	Operations  map[string]asyncOperation `json:"operations"`
	Components  asyncComponents           `json:"components"`
}

type asyncChannel struct {
	Address  string                  `json:"address"`
	Title    string                  `json:"title"`
	Messages map[string]asyncMessage `json:"messages"`
}

type asyncMessage struct {
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Payload     *schema `json:"payload"`
}

type asyncOperation struct {
	Action   string      `json:"action"` // from the server's point of view
	Channel  schema      `json:"channel"`
	Messages []schema    `json:"messages"`
	Reply    *asyncReply `json:"reply,omitempty"`
}

type asyncReply struct {
	Channel  schema   `json:"channel"`
	Messages []schema `json:"messages"`
}

type asyncComponents struct {
	Schemas map[string]*schema `json:"schemas,omitempty"`
}

// WriteAsyncAPI writes an AsyncAPI 3 document of the application: one channel,
// the server receives what clients send and sends what they handle. A message's
// payload is the array of the event's arguments; its name is the event's.
func (a *API) WriteAsyncAPI(w io.Writer, info Info) error {
	channel := asyncChannel{Address: "/", Title: "Socket.IO", Messages: map[string]asyncMessage{}}
	doc := asyncDocument{
		AsyncAPI:    "3.0.0",
		Info:        info,
		ContentType: "application/json",
		Channels:    map[string]asyncChannel{"socket": channel},
		Operations:  map[string]asyncOperation{},
		Components:  asyncComponents{Schemas: asyncAPI.types(a)},
	}
	here := schema{Ref: "#/channels/socket"}
	message := func(key string, m asyncMessage) []schema {
		channel.Messages[key] = m
		return []schema{{Ref: here.Ref + "/messages/" + pointer.Replace(key)}}
	}
	for action, events := range map[string][]Event{"receive": a.ToServer, "send": a.ToClient} {
		for _, ev := range events {
			key := action + "." + ev.Name
			op := asyncOperation{
				Action:   action,
				Channel:  here,
				Messages: message(key, asyncMessage{Name: ev.Name, Description: ev.Doc, Payload: asyncAPI.args(ev.Args)}),
			}
			if ev.Call {
				reply := asyncMessage{Name: ev.Name, Description: "Acknowledgement.", Payload: asyncAPI.reply(ev)}
				op.Reply = &asyncReply{Channel: here, Messages: message(key+".reply", reply)}
			}
			doc.Operations[key] = op
		}
	}
	return writeJSON(w, doc)
}

// pointer escapes a key for a JSON pointer in a URI fragment (RFC 6901).
var pointer = strings.NewReplacer("~", "~0", "/", "~1", "%", "%25", " ", "%20", "#", "%23")
