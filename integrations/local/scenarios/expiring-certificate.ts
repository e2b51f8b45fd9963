import { nextCertificate, showCertificate } from '../equipment.ts'
import type { Scenario } from './scenario.ts'

const DAYS_LEFT = 5

/** The door of storefront shows a certificate that ends in five days, and nobody has renewed it. */
export const expiringCertificate: Scenario = {
  name: 'expiring-certificate',
  title: 'A certificate of storefront about to expire',
  expects: 'action',
  service: 'storefront',
  truth: { class: 'certificate_expiring', component: 'service/storefront', action: 'local.renew-certificate' },
  apply: (state, { at }) => ({ ...state, equipment: showCertificate(state.equipment, nextCertificate(state.equipment), at, DAYS_LEFT) }),
}
