/* SPDX-License-Identifier: Apache-2.0 */
/*
 * barrier: a guest that does what every virtio driver does before it sleeps: it writes, then a locked
 * instruction, then it reads. Its other half and the meaning of the words are in barrier.c. Never ends.
 *
 * An ELF file with the PVH entry: -kernel takes it, which enters in 32-bit mode without paging.
 */
	.section .note.pvh, "a", @note
	.long 4, 4, 18
	.asciz "Xen"
	.long _start

	.text
	.globl _start
_start:
	mov $0x200000, %ebx
	mov $0x300000, %esp
	mov $1, %esi
round:
	cmp %esi, 0x100(%ebx)
	jne round
	movl $1, (%ebx)
	lock addl $0, -4(%esp)	/* smp_mb() of Linux */
	mov 0x80(%ebx), %eax
	mov %eax, 0x180(%ebx)
	mov %esi, 0x200(%ebx)
	inc %esi
	jmp round
