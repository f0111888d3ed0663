package clients_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"
)

// evening is a picture to send: 900 by 560 pixels of hills and a sunset, drawn
// here because photographs have owners.
func evening(t *testing.T) []byte {
	t.Helper()
	const width, height = 900, 560
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	sky := []color.RGBA{{43, 42, 107, 255}, {217, 99, 139, 255}, {255, 194, 122, 255}}
	hills := []color.RGBA{{90, 58, 120, 255}, {67, 43, 102, 255}, {46, 31, 80, 255}, {27, 20, 54, 255}}
	for y := range height {
		at := float64(y) / height * 2
		row := blend(sky[int(at)], sky[min(int(at)+1, 2)], at-math.Floor(at))
		for x := range width {
			c := row
			if math.Hypot(float64(x-610), float64(y-330)) < 70 {
				c = color.RGBA{255, 233, 184, 255}
			}
			for layer, hill := range hills {
				l, fx := float64(layer), float64(x)
				if float64(y) > 350+l*52+math.Sin(fx/(90-l*12)+l*2)*(46-l*6)+math.Sin(fx/31+l)*9 {
					c = hill
				}
			}
			picture.SetRGBA(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func blend(a, b color.RGBA, share float64) color.RGBA {
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*share) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}
