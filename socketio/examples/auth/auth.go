package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// Account is who has connected, and until when that is believed.
type Account struct {
	Name    string    `json:"name"`
	Expires time.Time `json:"expires"`
}

var (
	// Whoami answers who the server takes the client for.
	Whoami = socketio.DefineCall[socketio.None, Account]("whoami").ToServer()
	// Renew takes a new token before the old one expires.
	Renew = socketio.DefineCall[string, Account]("renew").ToServer()
	// Expired is the last thing that a client hears whose token has expired.
	Expired = socketio.DefineEvent[socketio.None]("expired").ToClient()

	account = socketio.NewLocalKey[Account]("account")
	expiry  = socketio.NewLocalKey[*time.Timer]("expiry")
)

// errNotAuthorized reaches clients as connect_error, with the code as data.
var errNotAuthorized = &socketio.PublicError{Message: "not authorized", Data: map[string]int{"code": 401}}

// newServer has two doors: "/" asks for a token in the client's auth option,
// "/cookie" takes the cookie that a login over HTTP has set.
func newServer(key []byte) (*socketio.Server, error) {
	tokens := signer{key}
	io, err := socketio.NewServer(socketio.Config{
		EngineConfig: engineio.Config{Connect: tokens.fromCookie},
	})
	if err != nil {
		return nil, err
	}
	io.Use(func(ctx context.Context, s *socketio.Socket) error {
		var auth struct {
			Token string `json:"token"`
		}
		if err := s.Auth(&auth); err != nil {
			return errNotAuthorized
		}
		a, ok := tokens.verify(auth.Token)
		if !ok {
			return errNotAuthorized
		}
		account.Set(s, a)
		return nil
	})
	cookie := io.Of("/cookie")
	cookie.Use(func(ctx context.Context, s *socketio.Socket) error {
		a, ok := ctx.Value(cookieAccount{}).(Account)
		if !ok {
			return errNotAuthorized
		}
		account.Set(s, a)
		return nil
	})
	for _, nsp := range []*socketio.Namespace{io.Namespace, cookie} {
		nsp.OnConnection(func(ctx context.Context, s *socketio.Socket) { endInTime(s) })
		nsp.OnDisconnect(func(ctx context.Context, s *socketio.Socket, why *socketio.DisconnectError) {
			if timer, ok := expiry.Get(s); ok {
				timer.Stop()
			}
		})
		Whoami.On(nsp, func(ctx context.Context, s *socketio.Socket, _ socketio.None) (Account, error) {
			a, _ := account.Get(s)
			return a, nil
		})
		Renew.On(nsp, func(ctx context.Context, s *socketio.Socket, token string) (Account, error) {
			a, ok := tokens.verify(token)
			if old, _ := account.Get(s); !ok || a.Name != old.Name {
				return Account{}, errNotAuthorized
			}
			account.Set(s, a)
			endInTime(s)
			return a, nil
		})
	}
	return io, nil
}

// endInTime disconnects the socket when its account expires.
func endInTime(s *socketio.Socket) {
	a, _ := account.Get(s)
	if timer, ok := expiry.Get(s); ok {
		timer.Reset(time.Until(a.Expires))
		return
	}
	expiry.Set(s, time.AfterFunc(time.Until(a.Expires), func() {
		_ = Expired.Emit(s, socketio.None{})
		s.Disconnect(false)
	}))
}

// signer makes and checks tokens: a name and a time, signed. Applications use
// what they have: a session store, or a library for JWT.
type signer struct{ key []byte }

func (t signer) sign(a Account) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(a.Name)) + "." + strconv.FormatInt(a.Expires.Unix(), 10)
	return text + "." + t.mac(text)
}

func (t signer) mac(text string) string {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (t signer) verify(token string) (Account, bool) {
	i := strings.LastIndexByte(token, '.')
	if i < 0 || !hmac.Equal([]byte(t.mac(token[:i])), []byte(token[i+1:])) {
		return Account{}, false
	}
	encoded, seconds, _ := strings.Cut(token[:i], ".")
	name, err := base64.RawURLEncoding.DecodeString(encoded)
	unix, err2 := strconv.ParseInt(seconds, 10, 64)
	a := Account{string(name), time.Unix(unix, 0)}
	return a, errors.Join(err, err2) == nil && time.Now().Before(a.Expires)
}

const cookieName = "session"

type cookieAccount struct{}

// fromCookie runs once a connection, before there is a session. No cookie is
// no reason to refuse, since "/" asks for a token; a forged or old one is.
func (t signer) fromCookie(r *http.Request) (context.Context, error) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return r.Context(), nil
	}
	a, ok := t.verify(cookie.Value)
	if !ok {
		return nil, errors.New("the session has expired, please log in")
	}
	return context.WithValue(r.Context(), cookieAccount{}, a), nil
}

// login sets the cookie. Whoever asks is let in here, under any name.
func (t signer) login(w http.ResponseWriter, r *http.Request) {
	a := Account{r.FormValue("name"), time.Now().Add(time.Hour)}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: t.sign(a), Path: "/", Expires: a.Expires,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	})
}
