/**
 * The policy that holds until a team writes its own. It covers the target that comes with the product and nothing else: one approver is asked for
 * each action there, a lone on-call person may approve a reversible action of their own, and everything anywhere else is denied.
 */
export const DEFAULT_POLICY = `# Who has to approve what. The first rule that matches decides; where none does, the answer is no.
# There is no rule that lets an action run without a click.
version: 1
rules:
  - name: local-reversible
    when: { action: local.*, environment: local, reversibility: reversible }
    decide: ask
    role: approver
    needed: 1
    requesterMayApprove: true
    ttlMinutes: 15
    cooldownSeconds: 5
  - name: local-other
    when: { action: local.*, environment: local }
    decide: ask
    role: approver
    needed: 1
    requesterMayApprove: false
    ttlMinutes: 15
    cooldownSeconds: 5
  - name: everything-else
    when: {}
    decide: deny
    reason: The built-in policy covers the local target only. Write a policy file to allow more.
`
