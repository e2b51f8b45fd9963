import { createBank } from './bank.ts'
import { startCustomers } from './customers.ts'
import { runService } from './service.ts'

/** The world outside the shop: the people who come, and the bank that payments asks. */
const running = runService(({ link }) => createBank(link))
startCustomers(running)
