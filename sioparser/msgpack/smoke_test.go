package msgpack_test
import ("testing";"fmt"
 "github.com/siokit/siokit/sioparser"
 "github.com/siokit/siokit/sioparser/msgpack")
func TestSmoke(t *testing.T){
 a,err:=sioparser.ParseArgs([]byte(`["a\n\u00e9",1,-1,1.5,1e3,[true,{"x":{"_placeholder":true,"num":0}}]]`),[][]byte{{1,2}})
 if err!=nil{t.Fatal(err)}
 b,_,_,err:=msgpack.Codec.AppendPacket(nil,&sioparser.Packet{Type:2,Name:[]byte("ev"),Args:a,HasID:true,ID:300})
 fmt.Printf("% x %v\n",b,err)
 d:=msgpack.Codec.NewDecoder(sioparser.Limits{})
 p,err:=d.Decode(b,true)
 fmt.Println(err)
 fmt.Printf("%+v %s %s %v\n",p,p.Name,p.Args.Raw(),p.Args.Attachments())
}
