#!/usr/bin/env node
import { launch } from './bootstrap.mjs'

await launch('bot/cli.ts', process.argv.slice(2))
