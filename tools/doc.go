// Package tools holds the programs and checks of this workspace.
package tools
